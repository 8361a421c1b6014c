import {
  type BackendChange,
  guarded,
  type Message,
  type Transport,
  type TransportErrorKind,
} from "@continuum-cache/core";
import type { KeptWrite } from "@continuum-cache/core/kit";
import { type MemoryTransport, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
let local: MemoryTransport;
let transport: Transport;
let changes: BackendChange[];

beforeEach(() => {
  vi.useFakeTimers();
  primary = switchable();
  local = memoryTransport();
  transport = withFallback(primary, local, { healthCheckInterval: "10s" });
  changes = [];
  transport.status?.onChange((change) => changes.push(change));
});
afterEach(async () => {
  await transport.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const get = async (from: Transport, key: string) => (await from.send([["GET", key]]))[0];
const set = (to: Transport, key: string, value: string) => to.send([["SET", key, value]]);
const away = async () => {
  primary.fail("unreachable");
  await transport.send([["PING"]]);
  expect(transport.status?.currentBackend).toBe("local");
};

describe("withFallback", () => {
  it("is named after its primary, and sends only to it while it answers", async () => {
    expect(transport.name).toBe("switchable+fallback");
    await set(transport, "a", "1");
    expect(await get(transport, "a")).toBe("1");
    expect(await get(local, "a")).toBeNull();
    expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
  });

  it.each<TransportErrorKind>(["unreachable", "timeout", "quota", "unauthorized", "protocol"])(
    "answers the very trip that failed (%s), and those that follow, locally",
    async (kind) => {
      primary.fail(kind);
      expect(await set(transport, "a", "1")).toEqual(["OK"]);
      expect(await get(transport, "a")).toBe("1");
      expect(primary.sent).toEqual([["SET", "a", "1"]]);
      expect(changes).toEqual([{ from: "upstash", to: "local", reason: `${kind}: away` }]);
      expect(transport.status).toMatchObject({ currentBackend: "local", pending: 1 });
    },
  );

  it.each<TransportErrorKind>(["aborted", "closed", "too-large"])("lets %s through: it is no outage", async (kind) => {
    primary.fail(kind);
    await expect(set(transport, "a", "1")).rejects.toMatchObject({ kind });
    expect(changes).toEqual([]);
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("rejects a command that the primary can't carry", async () => {
    primary.fail("protocol", { delivery: "none" });
    await expect(set(transport, "a", "1")).rejects.toMatchObject({ kind: "protocol" });
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("returns errors of Redis among the replies", async () => {
    await transport.send([["RPUSH", "l", "x"]]);
    expect((await transport.send([["GET", "l"]]))[0]).toMatchObject({ code: "WRONGTYPE" });
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("goes back when a PING gets through, and reports it", async () => {
    await away();
    primary.restore();
    primary.sent.length = 0;
    await vi.advanceTimersByTimeAsync(100);
    expect(transport.status?.currentBackend).toBe("local");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(primary.sent).toEqual([["PING"]]);
    expect(transport.status?.currentBackend).toBe("upstash");
    expect(changes.at(-1)).toEqual({
      from: "local",
      to: "upstash",
      reason: "the primary answers again",
      recovery: { replayed: 0, superseded: 0, dropped: 0 },
    });
    await set(transport, "a", "2");
    expect(await get(primary.store, "a")).toBe("2");
  });

  it("probes soon at first, then less and less often, up to once per interval", async () => {
    await away();
    await vi.advanceTimersByTimeAsync(60_000);
    const early = primary.sent.length;
    primary.sent.length = 0;
    await vi.advanceTimersByTimeAsync(1_000_000);
    // 250 ms, 500 ms, 1 s, 2 s, 4 s, 8 s, 10 s…, each a quarter more or less.
    expect(early).toBeGreaterThan(7);
    expect(early).toBeLessThan(14);
    expect(primary.sent.length).toBeGreaterThan(85);
    expect(primary.sent.length).toBeLessThan(140);
    expect(new Set(primary.sent.map(([name]) => name))).toEqual(new Set(["PING"]));
  });

  it("sends one PING for 50 calls at once when the interval ends", async () => {
    await away();
    primary.sent.length = 0;
    vi.setSystemTime(Date.now() + 10_000);
    const release = primary.hold();
    const calls = Array.from({ length: 50 }, (_, index) => set(transport, `k${index}`, "v"));
    expect((await Promise.all(calls)).flat()).toEqual(calls.map(() => "OK"));
    expect(primary.sent).toEqual([["PING"]]);
    primary.restore();
    release();
    await vi.advanceTimersByTimeAsync(0);
  });

  it("needs no timer: without one the first call after the interval probes", async () => {
    // The edge's timers are numbers, with nothing to keep them from holding a process.
    const numbers = vi.spyOn(globalThis, "setTimeout").mockReturnValue(7 as never);
    await away();
    numbers.mockRestore();
    primary.restore();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(transport.status?.currentBackend).toBe("local");
    await transport.send([["PING"]]);
    await vi.advanceTimersByTimeAsync(0);
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("probes in time with a clock that lags behind the timers", async () => {
    const start = Date.now();
    const clock = { now: () => start + (Date.now() - start) * 0.9 };
    const lagging = withFallback(primary, memoryTransport(), { healthCheckInterval: "10s", clock });
    primary.fail("unreachable");
    await lagging.send([["PING"]]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(11_200);
    expect(lagging.status?.currentBackend).toBe("upstash");
    await lagging.close();
  });

  it("does not probe before the retryAfterMs of the server", async () => {
    primary.fail("quota", { retryAfterMs: 60_000, delivery: "none" });
    await transport.send([["PING"]]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(primary.sent).toEqual([["PING"]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("counts local writes as pending, and reports their outcome on return", async () => {
    const kept: KeptWrite[] = [];
    transport.status?.onKept?.((event) => kept.push(event));
    await away();
    await transport.send([
      ["SET", "a", "1"],
      ["GET", "a"],
      ["LPUSH", "a", "x"],
      ["INCR", "n"],
    ]);
    await transport.send([["GET", "a"]]);
    expect(transport.status?.pending).toBe(2);
    expect(kept).toEqual([{ mutations: 2, pending: 2 }]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.status?.pending).toBe(0);
    expect(changes.at(-1)?.recovery).toEqual({ replayed: 2, superseded: 0, dropped: 0 });
  });

  it("knows after its own delete by pattern that a key is gone that another process had deleted", async () => {
    const scan = (cursor: string) => transport.send([["SCAN", cursor, "MATCH", "a*"]], { invalidates: ["a*"] });
    await set(transport, "a", "1");
    await primary.store.send([["DEL", "a"]]);
    expect(await scan("0")).toEqual([["0", []]]);
    await away();
    await set(transport, "a", "2");
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(changes.at(-1)?.recovery).toEqual({ replayed: 1, superseded: 0, dropped: 0 });
    expect(await get(primary.store, "a")).toBe("2");
  });

  it("still knows the values that it wrote during a delete by pattern", async () => {
    const release = primary.hold();
    const run = transport.send([["SCAN", "0", "MATCH", "a*"]], { invalidates: ["a*"] });
    const written = set(transport, "a", "1");
    release();
    await Promise.all([run, written]);
    expect(await get(primary.store, "a")).toBe("1");
    await away();
    await set(transport, "a", "2");
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await get(primary.store, "a")).toBe("2");
  });

  it("reports since when, why, and how much is pending", async () => {
    expect(transport.status?.outage).toBeUndefined();
    await away();
    const sinceMs = Date.now();
    await vi.advanceTimersByTimeAsync(1_000);
    await set(transport, "a", "1");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(transport.status?.outage).toEqual({
      sinceMs,
      reason: "unreachable: away",
      state: "local",
      journal: { entries: 1, bytes: expect.any(Number), ageMs: 2_000 },
      dropped: 0,
    });
  });

  it("never serves values of an earlier outage", async () => {
    await away();
    await set(transport, "a", "stale");
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    await away();
    expect(await get(transport, "a")).toBeNull();
  });

  it("sends to the primary only with fallback: false", async () => {
    await away();
    await expect(transport.send([["GET", "a"]], { fallback: false })).rejects.toMatchObject({ kind: "unreachable" });
    primary.restore();
    await set(primary.store, "a", "1");
    expect(await transport.send([["GET", "a"]], { fallback: false })).toEqual(["1"]);
    expect(transport.status?.currentBackend).toBe("local");
  });

  it("rejects with fallback: false without going local", async () => {
    primary.fail("timeout");
    await expect(transport.send([["GET", "a"]], { fallback: false })).rejects.toMatchObject({ kind: "timeout" });
    expect(transport.status?.currentBackend).toBe("upstash");
  });

  it("calls no listener that was removed", async () => {
    const heard: BackendChange[] = [];
    const stop = transport.status?.onChange((change) => heard.push(change));
    stop?.();
    await away();
    expect(heard).toEqual([]);
  });

  it("closes both, and leaves no timer", async () => {
    await away();
    await transport.close();
    expect(vi.getTimerCount()).toBe(0);
    await expect(primary.store.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
    await expect(local.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
    await expect(transport.send([["PING"]])).rejects.toMatchObject({ kind: "closed" });
    await transport.close();
  });

  it("rejects an invalid interval", () => {
    expect(() => withFallback(primary, local, { healthCheckInterval: "soon" as never })).toThrow(/healthCheckInterval/);
  });
});

describe("subscriptions of withFallback", () => {
  const heard: string[] = [];
  const interruptions: string[] = [];
  const listener = {
    message: ({ data, degraded }: Message) => void heard.push(degraded ? `${data} (degraded)` : String(data)),
    interrupted: ({ kind }: { kind: string }) => void interruptions.push(kind),
  };
  const subscribe = (topics = { channels: ["c"] }) => (transport as Required<Transport>).subscribe(topics, listener);

  beforeEach(() => {
    heard.length = 0;
    interruptions.length = 0;
  });

  it("hear the primary while it answers", async () => {
    await subscribe();
    expect(await primary.store.send([["PUBLISH", "c", "x"]])).toEqual([1]);
    expect(heard).toEqual(["x"]);
  });

  it("hear this process in an outage, and are interrupted at its end", async () => {
    await away();
    const subscription = await subscribe();
    await transport.send([["PUBLISH", "c", "x"]]);
    expect(heard).toEqual(["x (degraded)"]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(interruptions).toEqual(["unreachable"]);
    await subscription.close();
    expect(await local.send([["PUBLISH", "c", "y"]])).toEqual([0]);
    expect(interruptions).toHaveLength(1);
  });

  it("that throw when interrupted do not disturb the return: local is emptied, the change is reported", async () => {
    const uncaught = vi.fn();
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", uncaught);
    await away();
    const thrower = {
      message: () => {},
      interrupted() {
        throw new Error("the listener's own bug");
      },
    };
    await (transport as Required<Transport>).subscribe({ channels: ["c"] }, thrower);
    await transport.send([["SET", "stale", "1"]]);
    const changes: string[] = [];
    transport.status?.onChange(({ to }) => changes.push(to));
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    process.removeAllListeners("uncaughtException");
    for (const other of others) process.on("uncaughtException", other);
    expect(changes).toEqual(["upstash"]);
    expect(await local.send([["DBSIZE"]])).toEqual([0]);
    expect(uncaught).toHaveBeenCalledTimes(1);
  });

  it("are not interrupted when they were closed before", async () => {
    await away();
    await (await subscribe()).close();
    primary.restore();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(interruptions).toEqual([]);
  });

  it("are absent if the primary has none", () => {
    const { subscribe: _absent, ...mute } = switchable();
    expect(withFallback(mute, local).subscribe).toBeUndefined();
  });
});

describe("trips in flight when the primary fails", () => {
  it("give way to a delete by pattern that the primary runs after all, also for local keys", async () => {
    const release = primary.hold();
    const store = set(transport, "query:a", "loaded");
    // A counter is no thing to do twice, so this trip waits for what the primary says.
    const both = transport.send(
      [
        ["INCR", "n"],
        ["SCAN", 0, "MATCH", "query:*"],
      ],
      { invalidates: ["query:*"] },
    );
    primary.fail("unreachable", { delivery: "unknown" });
    await transport.send([["PING"]]);
    expect(await store).toEqual(["OK"]);
    expect(await get(transport, "query:a")).toBe("loaded");
    primary.restore();
    await primary.store.send([["DEL", "query:a"]]);
    release();
    await both;
    expect(await get(transport, "query:a")).toBeNull();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.status?.currentBackend).toBe("upstash");
    expect(await get(transport, "query:a")).toBeNull();
  });

  it("are not repeated after they were answered locally", async () => {
    await transport.close();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const guardedPrimary = guarded(primary, { retries: 3, breaker: false });
    transport = withFallback(guardedPrimary, memoryTransport(), { healthCheckInterval: "10s" });
    primary.fail("unreachable");
    const sets = ["1", "2"].map((value) => set(transport, "a", value));
    // Both wait for their second attempt when another call finds out that the primary is away.
    await vi.advanceTimersByTimeAsync(0);
    primary.fail("unauthorized");
    await set(transport, "b", "3");
    expect(await Promise.all(sets)).toEqual([["OK"], ["OK"]]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(primary.sent.filter(([name]) => name === "SET")).toHaveLength(3);
  });

  it("are answered at once if they may run twice; keys that the others replace stay replaced", async () => {
    const release = primary.hold();
    const store = set(transport, "a", "loaded");
    const counted = transport.send([
      ["DEL", "a"],
      ["INCR", "n"],
    ]);
    const read = get(transport, "a");
    // All three have been sent; the first one's connection breaks, the second one's does not.
    primary.fail("unreachable", { delivery: "unknown" });
    await transport.send([["PING"]]);
    expect(await store).toEqual(["OK"]);
    expect(await read).toBe("loaded");
    expect(transport.status?.pending).toBe(1);
    primary.restore();
    release();
    expect(await counted).toEqual([expect.any(Number), 1]);
    expect(transport.status?.pending).toBe(0);
    expect(await get(transport, "a")).toBeNull();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.status?.currentBackend).toBe("upstash");
    expect(await get(transport, "a")).toBeNull();
  });
});
