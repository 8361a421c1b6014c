import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { isCommandError, isTransportError } from "@continuum-cache/core";
import { batched } from "@continuum-cache/core/kit";
import { restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, expect, it } from "vitest";
import { patientMs } from "./timed-out.ts";

const opened = closing(afterEach);

const counted = async () => {
  const server = opened(await startRedisServer());
  const { url } = opened(await startUpstashLocal({ port: 0, token: "t", redisUrl: server.url }));
  const seen = { requests: 0 };
  const fetching: typeof fetch = (...args) => {
    seen.requests++;
    return fetch(...args);
  };
  return {
    server,
    seen,
    transport: opened(batched(restTransport({ url, token: "t", fetch: fetching, timeout: patientMs / 1_000 }))),
  };
};

it("sends the trips of one tick as one request, and gives each its own replies", async () => {
  const { seen, transport } = await counted();
  const trips = Array.from({ length: 100 }, (_, at) =>
    transport.send([
      ["INCR", "n"],
      ["ECHO", `${at}`],
    ]),
  );
  expect(await Promise.all(trips)).toEqual(Array.from({ length: 100 }, (_, at) => [at + 1, `${at}`]));
  expect(seen.requests).toBe(1);
});

it("keeps a refusal to the trip that it belongs to, and atomic trips to themselves", async () => {
  const { seen, transport } = await counted();
  const [set, wrong, both] = await Promise.all([
    transport.send([["SET", "a", "1"]]),
    transport.send([["LPUSH", "a", "1"]]),
    transport.send(
      [
        ["INCR", "a"],
        ["INCR", "a"],
      ],
      { atomic: true },
    ),
  ]);
  expect(set).toEqual(["OK"]);
  expect(isCommandError(wrong[0])).toBe(true);
  expect(both).toEqual([2, 3]);
  expect(seen.requests).toBe(2);
});

it("rejects for all when no answer comes, and ends one alone when its own signal fires", async () => {
  const { server, transport } = await counted();
  server.freeze();
  const controller = new AbortController();
  const outcomes = [{ signal: controller.signal }, {}].map((options) =>
    transport.send([["GET", "a"]], { timeoutMs: 300, ...options }).catch((error: unknown) => error),
  );
  controller.abort();
  const [aborted, timedOut] = await Promise.all(outcomes);
  expect(isTransportError(aborted) && aborted.kind).toBe("aborted");
  expect(isTransportError(timedOut) && timedOut.kind).toBe("timeout");
  server.thaw();
});
