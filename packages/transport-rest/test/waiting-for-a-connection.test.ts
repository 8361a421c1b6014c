import { connect, Socket } from "node:net";
import { closing } from "@continuum-cache/conformance/servers";
import type { TransportError } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, expect, test } from "vitest";
import { createCalls } from "../src/calls.ts";
import { createConnectionPool } from "../src/http/node/connection-pool.ts";
import { failure } from "./failure.ts";
import { type Answering, startRawServer, withLength } from "./raw-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

const opened = closing(afterEach);

async function against(answer: Answering) {
  const server = opened(await startRawServer(answer));
  return { server, rest: opened(restTransport({ url: server.url, token: "secret", timeout: patientMs / 1_000 })) };
}

const one = withLength({ result: 1 });
const head = "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n";

test("a call that ends while it waits for a connection was not delivered, and never is", async () => {
  const { server, rest } = await against(() => {});
  const held = Array.from({ length: 100 }, (_, at) => failure(rest.send([["INCR", `k${at}`]])));
  await expect.poll(() => server.heads.length).toBe(100);
  const controller = new AbortController();
  const aborted = failure(rest.send([["INCR", "x"]], { signal: controller.signal }));
  controller.abort();
  expect(await aborted).toMatchObject({ kind: "aborted", delivery: "none" });
  const late = failure(rest.send([["INCR", "x"]], { timeoutMs: 50 }));
  expect(await late).toMatchObject({ kind: "timeout", delivery: "none" });
  const waiting = Array.from({ length: 100 }, () => failure(rest.send([["INCR", "x"]])));
  await rest.close();
  for (const call of waiting) expect(await call).toMatchObject({ kind: "closed", delivery: "none" });
  for (const call of held) expect(await call).toMatchObject({ kind: "closed", delivery: "unknown" });
  await expect.poll(() => server.open).toBe(0);
  expect(server.heads).toHaveLength(100);
  expect(server.sockets).toHaveLength(100);
});

test("a call that times out while it waits for a connection blames a server only if it answers none", async () => {
  let answer = (): void => {};
  const { server, rest } = await against(({ socket, number }) => {
    if (number === 1) answer = () => socket.write(one);
  });
  const first = rest.send([["INCR", "k0"]]);
  await expect.poll(() => server.heads.length).toBe(1);
  for (let at = 1; at < 100; at++) void failure(rest.send([["INCR", `k${at}`]]));
  await expect.poll(() => server.heads.length).toBe(100);
  const late = (key: string, happened: () => Promise<unknown>): Promise<TransportError> =>
    timedOut(() => failure(rest.send([["INCR", key]])) as Promise<TransportError>, happened);
  const unanswered = await late("x", async () => {});
  expect(unanswered).toMatchObject({ kind: "timeout", delivery: "none" });
  expect(isOutage(unanswered)).toBe(true);

  // The connection that becomes free goes to a call that waits for longer.
  void failure(rest.send([["INCR", "y"]]));
  const queued = await late("z", () => {
    answer();
    return first;
  });
  expect(queued).toMatchObject({ kind: "timeout", delivery: "none", queued: true });
  expect(queued.message).toContain("for a connection");
  expect(isOutage(queued)).toBe(false);
});

test("a call that has waited blames the server for the time that opening its connection takes", async () => {
  let answer = (): void => {};
  const server = opened(
    await startRawServer(({ socket, number }) => {
      const last = withLength({ result: 1 }, "connection: close\r\n");
      if (number === 1) answer = () => socket.end(last);
    }),
  );
  let sockets = 0;
  const pool = createConnectionPool({
    ready: "connect",
    // What is opened beyond a hundred never stands.
    open: (onread) => (++sockets > 100 ? new Socket() : connect({ host: "127.0.0.1", port: server.port, onread })),
  });
  const calls = createCalls(patientMs);
  const send = () =>
    calls.run({}, (call) => {
      return new Promise((succeed, fail) => {
        const [startWaiting, markSent] = [call.startWaiting.bind(call), call.markSent.bind(call)];
        const pending = { head, body: "[]", bodyBytes: 2, maxBodyBytes: 100, startWaiting, markSent, succeed, fail };
        pool.send(pending, () => false);
      });
    });
  const first = send();
  await expect.poll(() => server.heads.length).toBe(1);
  for (let at = 1; at < 100; at++) void failure(send());
  await expect.poll(() => server.heads.length).toBe(100);
  const late = await timedOut(
    () => failure(send()),
    () => {
      answer();
      return first;
    },
  );
  pool.close();
  expect(sockets).toBe(101);
  expect(late).toMatchObject({ kind: "timeout", delivery: "none" });
  expect(isOutage(late)).toBe(true);
});
