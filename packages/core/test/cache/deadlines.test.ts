import {
  Cache,
  type Command,
  type Reply,
  type SendOptions,
  type Transport,
  TransportError,
} from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { recordingTransport } from "../recording-transport.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/**
 * Answers each trip after so long, and ends it at its deadline or when its signal fires. SCAN never comes to an end.
 */
function slow(ms: number): Transport & { readonly aborted: () => number } {
  let aborted = 0;
  const reply = ([name, ...args]: Command): Reply =>
    name === "SCAN" ? ["7", ["k1", "k2"]] : name === "UNLINK" ? args.length : null;
  return {
    name: "slow",
    aborted: () => aborted,
    send: (commands, { signal, timeoutMs = 5_000 }: SendOptions = {}) =>
      new Promise((resolve, reject) => {
        setTimeout(() => reject(new TransportError("timeout", "No answer in time", { transport: "slow" })), timeoutMs);
        signal?.addEventListener("abort", () => {
          aborted++;
          reject(signal.reason);
        });
        setTimeout(() => resolve(commands.map((command) => (command[0] === "SET" ? "OK" : reply(command)))), ms);
      }),
    close: async () => {},
  };
}

const settledAt = (call: Promise<unknown>): { atMs: number | undefined; outcome: unknown } => {
  const told: { atMs: number | undefined; outcome: unknown } = { atMs: undefined, outcome: undefined };
  const began = performance.now();
  const tell = (outcome: unknown): void => {
    Object.assign(told, { atMs: performance.now() - began, outcome });
  };
  call.then(tell, tell);
  return told;
};

describe("deletePattern", () => {
  it.each([
    ["its own timeout", {}, { timeout: "1s" } as const],
    ["the cache's", { timeout: "1s" } as const, {}],
  ])("keeps one deadline for all its trips: %s", async (_, cacheOptions, callOptions) => {
    const transport = slow(90);
    const cache = new Cache({ transport, ...cacheOptions });
    const progress = vi.fn();
    const told = settledAt(cache.deletePattern("k*", { ...callOptions, onProgress: progress }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told.atMs).toBe(1_000);
    expect(told.outcome).toMatchObject({ kind: "timeout", transport: "cache" });
    // Eleven trips came back by then. The ninth deleted what the first eight had found.
    expect(String(told.outcome)).toMatch(/within 1000 ms, but 16 were/);
    expect(progress).toHaveBeenCalledTimes(11);
    // The trip that was under way is no failure of the server's.
    expect(transport.aborted()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for its turn for all of its time, also where a stand-in is to get half of it", async () => {
    const status = { currentBackend: "upstash", pending: 0, onChange: () => () => {} } as const;
    const begunAt = performance.now();
    // Earlier calls to these keys take 700 milliseconds.
    const send: Transport["send"] = (_, { timeoutMs = 5_000 } = {}) =>
      new Promise((resolve, reject) => {
        const late = new TransportError("timeout", "No turn in time", { transport: "slow", queued: true });
        setTimeout(() => reject(late), timeoutMs);
        setTimeout(() => resolve([["0", []]]), Math.max(0, begunAt + 700 - performance.now()));
      });
    const cache = new Cache({ transport: { ...slow(0), send, status } });
    const told = settledAt(cache.deletePattern("k*", { timeout: "1s" }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual({ atMs: 700, outcome: 0 });
  });

  /** As a fallback does it: the primary has four fifths of a trip's time, and then the memory answers. */
  function fallback(primary: (trip: number, timeoutMs: number) => { afterMs: number; outcome: Reply[] | Error }) {
    const timeouts: number[] = [];
    const status = { currentBackend: "upstash", pending: 0, onChange: () => () => {} } as const;
    const send: Transport["send"] = (_, { timeoutMs = 5_000 } = {}) =>
      new Promise((resolve, reject) => {
        const { afterMs, outcome } = primary(timeouts.push(timeoutMs), timeoutMs);
        setTimeout(() => (outcome instanceof Error ? reject(outcome) : resolve(outcome)), afterMs);
      });
    return { timeouts, cache: new Cache({ transport: { ...slow(0), send, status } }) };
  }

  it("leaves a stand-in its part of the time when the turn did not come at first", async () => {
    const late = new TransportError("timeout", "No turn in time", { transport: "slow", queued: true });
    const { timeouts, cache } = fallback((trip, timeoutMs) => ({
      afterMs: timeoutMs * 0.8,
      outcome: trip === 1 ? late : [["0", []]],
    }));
    const told = settledAt(cache.deletePattern("k*", { timeout: "1s" }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(timeouts).toEqual([500, 600]);
    expect(told).toEqual({ atMs: 880, outcome: 0 });
  });

  it("leaves a stand-in its part of the time when the server goes away between two trips", async () => {
    const { timeouts, cache } = fallback((trip, timeoutMs) =>
      trip === 1 ? { afterMs: 400, outcome: [["0", ["k1", "k2"]]] } : { afterMs: timeoutMs * 0.8, outcome: [2] },
    );
    const told = settledAt(cache.deletePattern("k*", { timeout: "1s" }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(timeouts).toEqual([500, 500]);
    expect(told).toEqual({ atMs: 800, outcome: 2 });
  });

  it("gives the server all of the time that is left once half of it is over", async () => {
    const { timeouts, cache } = fallback((trip) => ({
      afterMs: trip === 1 ? 450 : 200,
      outcome: [trip === 3 ? ["0", []] : ["7", []]],
    }));
    const told = settledAt(cache.deletePattern("k*", { timeout: "1s" }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(timeouts).toEqual([500, 500, 1_000]);
    expect(told).toEqual({ atMs: 850, outcome: 0 });
  });

  it("still ends by its signal", async () => {
    const controller = new AbortController();
    const told = settledAt(new Cache({ transport: slow(90) }).deletePattern("k*", { signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(200);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(told.outcome).toMatchObject({ kind: "aborted" });
  });
});

describe("getOrSet", () => {
  it("lets reading and storing share the cache's timeout, and returns the value loaded by then", async () => {
    const cache = new Cache({ transport: slow(700), timeout: "1s" });
    const told = settledAt(cache.getOrSet("k", () => "loaded"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual({ atMs: 1_000, outcome: "loaded" });
  });

  it("writes nothing any more when its time is over", async () => {
    const timeouts: (number | undefined)[] = [];
    const { send, ...rest } = slow(700);
    const noted: Transport["send"] = (commands, options) => {
      timeouts.push(options?.timeoutMs);
      return send(commands, options);
    };
    const told = settledAt(new Cache({ transport: { ...rest, send: noted }, timeout: "1s" }).getOrSet("k", () => 1));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(timeouts).toEqual([1_000, 300]);
    expect(told.atMs).toBe(1_000);
  });

  it("rejects a call with fallback: false when the value was not stored in time", async () => {
    const cache = new Cache({ transport: slow(700), timeout: "1s" });
    const told = settledAt(cache.getOrSet("k", () => "loaded", { fallback: false }));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told.outcome).toMatchObject({ kind: "timeout" });
    expect(told.atMs).toBe(1_000);
  });

  it("keeps its own timeout over reading, loading and storing", async () => {
    const cache = new Cache({ transport: slow(200), timeout: "10s" });
    const told = settledAt(
      cache.getOrSet("k", () => new Promise((resolve) => setTimeout(resolve, 700, "loaded")), { timeout: "1s" }),
    );
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told.atMs).toBe(1_000);
    expect(told.outcome).toMatchObject({ kind: "timeout" });
  });
});

describe("a set with tags", () => {
  it("gives each of its round trips what is left of its time", async () => {
    vi.useRealTimers();
    const ends: number[] = [];
    const store = recordingTransport(async ([name, ...keys], trip) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return name === "MGET" ? keys.map(() => (trip % 3 === 1 ? null : "marker.9999999999")) : "OK";
    });
    const transport: Transport = {
      ...store,
      send(commands, options) {
        ends.push(performance.now() + (options?.timeoutMs ?? 0));
        return store.send(commands, options);
      },
    };
    const cache = new Cache({ transport });
    // The code for tags is loaded once.
    await cache.set("a", 1, { tags: ["t"] });
    ends.length = 0;
    const beganMs = performance.now();
    expect(await cache.set("a", 1, { tags: ["t"], timeout: "10m" })).toBe(true);
    expect(ends).toHaveLength(3);
    const [, creating, storing] = ends.map((end) => end - beganMs);
    expect(creating).toBeLessThanOrEqual(600_000);
    expect(storing).toBeLessThanOrEqual(600_000);
  });
});
