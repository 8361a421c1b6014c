import { closing, type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { FederationQueue } from "../src/queue/federation-queue.ts";
import { createDoorbell, readNotes } from "../src/shared/doorbell/doorbell.ts";

const opened = closing(afterEach);
const started = closing(afterAll);
const soon = { timeout: 60_000 };

describe("a doorbell", () => {
  let redis: RedisServer;
  let backends: Record<"tcp" | "rest" | "memory", () => Transport>;
  beforeAll(async () => {
    redis = started(await startRedisServer());
    const rest = started(await startUpstashLocal({ port: 0, redisUrl: redis.url }));
    backends = {
      tcp: () => tcpTransport({ url: redis.url }),
      rest: () => restTransport({ url: rest.url, token: rest.token }),
      memory: () => memoryTransport(),
    };
  });

  const listening = async (transport: Transport) => {
    const doorbell = opened(createDoorbell(transport, "bell", 2_000));
    const heard: (readonly string[])[] = [];
    const stop = doorbell.listen((notes) => void heard.push(notes));
    await expect.poll(() => doorbell.isHeard, soon).toBe(true);
    return { doorbell, heard, stop };
  };

  it.each(["tcp", "rest", "memory"] as const)("makes one ring of many, and is heard by all: %s", async (name) => {
    const one = opened(backends[name]());
    const other = name === "memory" ? one : opened(backends[name]());
    const { doorbell, heard } = await listening(one);
    const { heard: elsewhere } = await listening(other);
    const ringing = opened(createDoorbell(other, "bell", 2_000));
    for (const note of ["a", "b", "a", undefined]) ringing.ring(note);
    await expect.poll(() => heard, soon).toEqual([[], ["a", "b"]]);
    doorbell.ring();
    await expect.poll(() => elsewhere, soon).toEqual([[], ["a", "b"], []]);
  });

  it("does not keep many waiting", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const told: unknown[] = [];
    const transport: Transport = {
      ...opened(memoryTransport()),
      async send(commands) {
        told.push(...commands);
        return commands.map(() => 0);
      },
    };
    const ringing = opened(createDoorbell(transport, "bell", 2_000));
    ringing.ring();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([["PUBLISH", "bell", "[]"]]);
    for (let count = 0; count < 49; count++) ringing.ring("some");
    await vi.advanceTimersByTimeAsync(0);
    expect(told.length).toBe(1);
    ringing.ring("one more");
    await vi.advanceTimersByTimeAsync(0);
    expect(told.slice(1)).toEqual([["PUBLISH", "bell", '["some","one more"]']]);
  });

  it("goes along with a trip when a ring is due, and else waits for the next", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const told: unknown[] = [];
    const transport: Transport = {
      ...opened(memoryTransport()),
      async send(commands) {
        told.push(...commands);
        return commands.map(() => 0);
      },
    };
    const ringing = opened(createDoorbell(transport, "bell", 2_000));
    expect(ringing.ringAlong(["a", "b"], 2)).toEqual(["PUBLISH", "bell", '["a","b"]']);
    expect(ringing.ringAlong(["c"], 1)).toBeUndefined();
    expect(ringing.ringAlong(["d"], 1)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(19);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([["PUBLISH", "bell", '["c","d"]']]);
    await vi.advanceTimersByTimeAsync(20);
    ringing.ring("e");
    // The trip takes along what was to be rung in this very tick.
    expect(ringing.ringAlong(["f"], 1)).toEqual(["PUBLISH", "bell", '["e","f"]']);
    expect(ringing.ringAlong(["g"], 1)).toBeUndefined();
    // So many are not kept waiting, nor is what waits.
    expect(ringing.ringAlong(["h"], 49)).toEqual(["PUBLISH", "bell", '["g","h"]']);
    await vi.advanceTimersByTimeAsync(40);
    expect(told.slice(1)).toEqual([]);
    await ringing.close();
    expect(ringing.ringAlong(["i"], 1)).toBeUndefined();
  });

  it("says that something may have been missed when the stream broke, and listens again", async () => {
    const own = opened(await startRedisServer());
    const { doorbell, heard } = await listening(opened(tcpTransport({ url: own.url })));
    await own.kill();
    await expect.poll(() => [heard.length, doorbell.isHeard], soon).toEqual([2, false]);
    await own.restart();
    await expect.poll(() => doorbell.isHeard, soon).toBe(true);
    await own.command("PUBLISH", "bell", "no list of notes");
    await own.command("PUBLISH", "bell", '["x",1]');
    await expect.poll(() => heard.slice(2), soon).toEqual([[], [], ["x"]]);
  });

  it("rings once more as it closes, and leaves nothing behind", async () => {
    const { heard, doorbell } = await listening(opened(backends.tcp()));
    const ringing = createDoorbell(opened(backends.tcp()), "bell", 2_000);
    ringing.ring("last");
    await ringing.close();
    ringing.ring("later");
    await expect.poll(() => heard, soon).toEqual([[], ["last"]]);
    await doorbell.close();
    await expect.poll(() => redis.command("PUBSUB", "NUMSUB", "bell"), soon).toEqual(["bell", 0]);
    expect(doorbell.isHeard).toBe(false);
  });

  it("is silent, and harms nobody, where nobody can be reached", async () => {
    const own = await startRedisServer();
    const transport = opened(tcpTransport({ url: own.url }));
    await own.close();
    const doorbell = createDoorbell(transport, "bell", 200);
    doorbell.listen(() => {});
    doorbell.ring("lost");
    await doorbell.close();
    expect(doorbell.isHeard).toBe(false);
  });
});

it("tells once that it may not be listened to, and goes on trying", async () => {
  const redis = opened(await startRedisServer({ users: ["app on >secret resetchannels ~* +@all"] }));
  const transport = opened(tcpTransport({ url: `redis://app:secret@127.0.0.1:${redis.port}` }));
  const queue = opened(new FederationQueue({ transport }, { pollInterval: "200ms" }));
  const errors: { readonly operation: string; readonly error: Error }[] = [];
  const done: unknown[] = [];
  queue.on("error", (event) => errors.push(event));
  queue.consume((event) => void done.push(event));
  await vi.waitFor(() => expect(errors).toHaveLength(1), { timeout: 60_000 });
  expect(errors).toMatchObject([{ operation: "listen", error: { kind: "unauthorized" } }]);
  await queue.push("found by looking");
  await vi.waitFor(() => expect(done).toEqual(["found by looking"]), { timeout: 60_000 });
  await redis.command("ACL", "SETUSER", "app", "allchannels");
  await vi.waitFor(async () => expect(await redis.command("PUBSUB", "NUMSUB", "fed:queue")).toEqual(["fed:queue", 1]), {
    timeout: 60_000,
  });
  expect(errors).toHaveLength(1);
});

it("believes nothing of what others say on it that can't be a note", () => {
  for (const data of [
    "",
    "[",
    "null",
    '{"a":1}',
    "5",
    "[".repeat(100_000),
    new Uint8Array([0xff]),
    `["${"x".repeat(1 << 20)}"]`,
  ]) {
    expect(readNotes(data)).toEqual([]);
  }
  expect(readNotes('["a",5,null,["b"],"c"]')).toEqual(["a", "c"]);
  expect(readNotes(JSON.stringify(Array.from({ length: 50_000 }, () => "n")))).toHaveLength(10_000);
});
