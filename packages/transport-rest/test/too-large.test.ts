import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, describe, expect, test } from "vitest";
import { answer, b64, type Handler, startScriptedServer } from "./scripted-server.ts";

const opened = closing(afterEach);
/** The plan's limit for a command and for its answer. */
const limitBytes = 1_000;
const big = "v".repeat(400);
const huge = "v".repeat(1_200);
const refusal = expect.objectContaining({ name: "CommandError", message: expect.stringContaining("max request size") });

/** A database of a small plan, with values of which two, but not three, come back in one reply. */
async function smallPlan() {
  const redis = opened(await startRedisServer());
  const server = opened(
    await startUpstashLocal({ port: 0, token: "t", redisUrl: redis.url, limits: { requestBytes: limitBytes } }),
  );
  const transport = opened(restTransport({ url: server.url, token: "t" }));
  const keys = ["v0", "v1", "v2", "v3", "v4"];
  for (const key of keys) await transport.send([["SET", key, big]]);
  await transport.send(Array.from({ length: 3 }, (): Command => ["APPEND", "huge", huge.slice(0, 400)]));
  return { server, transport, keys };
}

describe("values that are too large to come back together", () => {
  test("come back in parts, each in its place", async () => {
    const { transport, keys } = await smallPlan();
    expect(await transport.send([["MGET", ...keys, "none"]])).toEqual([[...keys.map(() => big), null]]);
    const all = await transport.send([
      ["INCR", "n"],
      ["mget", ...keys],
      ["INCR", "n"],
    ]);
    expect(all).toEqual([1, keys.map(() => big), 2]);
  });

  test("leave out only what is too large by itself", async () => {
    const { transport } = await smallPlan();
    expect(await transport.send([["MGET", "v0", "huge", "v1", "v2", "v0"]])).toEqual([[big, refusal, big, big, big]]);
    await expect(transport.send([["MGET", "huge"]])).rejects.toMatchObject({ kind: "too-large" });
    await expect(transport.send([["MGET", "huge", "huge"]])).rejects.toMatchObject({ kind: "too-large" });
  });

  test("are not read again where the trip itself has written since", async () => {
    const { transport } = await smallPlan();
    const [read, set] = await transport.send([
      ["MGET", "v0", "v1", "v2"],
      ["SET", "v1", "new"],
    ]);
    expect(read).toEqual([big, refusal, big]);
    expect(set).toBe("OK");
  });

  test("are refused as a whole in an atomic trip", async () => {
    const { transport, keys } = await smallPlan();
    const [count, read] = await transport.send(
      [
        ["INCR", "n"],
        ["MGET", ...keys],
      ],
      { atomic: true },
    );
    expect(count).toBe(1);
    expect(read).toEqual(refusal);
  });

  test("do not fail other calls of the same tick of a cache", async () => {
    const { transport } = await smallPlan();
    const cache = new Cache({
      transport,
      maxValueBytes: 10_000,
      codec: { name: "text", encode: String, decode: String },
    });
    const calls = [
      cache.get("v0"),
      cache.get("v1"),
      cache.get("v2"),
      cache.get("none"),
      cache.get("huge"),
      cache.increment("n"),
      cache.getOrSet("loaded", () => "new"),
    ];
    const outcomes = (await Promise.allSettled(calls)).map((one) =>
      one.status === "fulfilled" ? one.value : one.reason,
    );
    expect(outcomes).toEqual([big, big, big, undefined, expect.anything(), 1, "new"]);
    expect(outcomes[4]).toMatchObject({ name: "TransportError", kind: "too-large", delivery: "none" });
    // Alone it is told in the same way.
    await expect(cache.get("huge")).rejects.toMatchObject({ name: "TransportError", kind: "too-large" });
    expect(await cache.getMany(["v0", "v1", "v2", "v3"])).toEqual([big, big, big, big]);
    await expect(cache.getMany(["v0", "huge"])).rejects.toMatchObject({ name: "TransportError", kind: "too-large" });
  });

  test("read by MGET with a hundred keys take few more requests", async () => {
    const { server, transport } = await smallPlan();
    const keys = Array.from({ length: 100 }, (_, at) => `w${at}`);
    await transport.send(keys.map((key): Command => ["SET", key, big]));
    const before = server.usage.requests;
    expect(await transport.send([["MGET", ...keys]])).toEqual([keys.map(() => big)]);
    expect(server.usage.requests - before).toBeLessThanOrEqual(8);
  });
});

/** Refuses bodies over a limit, as proxies do, and otherwise runs INCR. */
const proxy =
  (maxBytes: number, counts: Map<string, number>): Handler =>
  ({ body, json, path }, response) => {
    if (body.length > maxBytes) return answer(response, "<html>413 Request Entity Too Large</html>", 413);
    const run = (command: unknown) => {
      const [name, key = "", value = ""] = command as string[];
      if (name === "GET") return { result: b64("x".repeat(300)) };
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { result: name === "APPEND" ? value.length : counts.get(key) };
    };
    answer(response, path === "/" ? run(json) : (json as unknown[]).map(run));
  };

async function behind(handler: Handler, options: Partial<RestTransportOptions> = {}) {
  const server = opened(await startScriptedServer(handler));
  return { server, transport: opened(restTransport({ url: server.url, token: "t", ...options })) };
}

describe("a request that is too large for a proxy", () => {
  test("travels in halves: each command runs once, in order", async () => {
    const counts = new Map<string, number>();
    const { server, transport } = await behind(proxy(500, counts));
    const commands = Array.from({ length: 100 }, (_, at): Command => ["INCR", `key ${at % 10}`]);
    expect(await transport.send(commands)).toEqual(commands.map((_, at) => Math.floor(at / 10) + 1));
    expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 10));
    expect(server.seen.length).toBeLessThan(20);
  });

  test("refuses only the command that is too large by itself, and runs the others once", async () => {
    const counts = new Map<string, number>();
    const { transport } = await behind(proxy(500, counts));
    const replies = await transport.send([
      ["INCR", "a"],
      ["APPEND", "b", "x".repeat(1_000)],
      ["INCR", "a"],
    ]);
    expect(replies).toEqual([1, refusal, 2]);
    expect([...counts]).toEqual([["a", 2]]);
    await expect(transport.send([["APPEND", "b", "x".repeat(1_000)]])).rejects.toMatchObject({
      kind: "too-large",
      delivery: "none",
    });
  });

  test("stays whole when it is atomic", async () => {
    const counts = new Map<string, number>();
    const { transport } = await behind(proxy(50, counts));
    const commands = Array.from({ length: 10 }, (): Command => ["INCR", "a"]);
    await expect(transport.send(commands, { atomic: true })).rejects.toMatchObject({
      kind: "too-large",
      delivery: "none",
    });
    expect(counts.size).toBe(0);
  });
});

describe("an answer over maxResponseBytes", () => {
  const reads = (count: number): Command[] => Array.from({ length: count }, (_, at) => ["GET", `k${at}`]);

  test("is asked for in halves when its commands may run twice", async () => {
    const { transport } = await behind(proxy(100_000, new Map()), { maxResponseBytes: 2_000 });
    expect(await transport.send(reads(20))).toEqual(reads(20).map(() => "x".repeat(300)));
  });

  test("never makes a command run twice that must not", async () => {
    const counts = new Map<string, number>();
    const { transport } = await behind(proxy(100_000, counts), { maxResponseBytes: 2_000 });
    const trip = transport.send([["INCR", "a"], ...reads(20)]);
    await expect(trip).rejects.toMatchObject({ kind: "too-large", delivery: "unknown" });
    expect([...counts]).toEqual([["a", 1]]);
  });
});

test("when a part that is read again gets no answer, delivery is unknown: other parts have run", async () => {
  let requests = 0;
  const { transport } = await behind((_, response) => {
    if (++requests > 1) return answer(response, {}, 429);
    answer(response, [{ result: 1 }, { error: "ERR max request size exceeded. Limit: 10 bytes, Actual: 20 bytes" }]);
  });
  const trip: Promise<Reply[]> = transport.send([
    ["INCR", "a"],
    ["MGET", "b", "c"],
  ]);
  const error = await trip.catch((caught: unknown) => caught);
  expect(error).toMatchObject({ kind: "quota", delivery: "unknown" });
  expect(isCommandError(error)).toBe(false);
});
