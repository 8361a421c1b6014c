import { type Command, type SendOptions, type Transport, TransportError } from "@continuum-cache/core";
import { type MemoryTransport, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

interface Slow extends Transport {
  readonly store: MemoryTransport;
  readonly trips: (readonly Command[])[];
  isAway: boolean;
  latencyMs: number;
}

/** A primary that takes its time, and as long as the caller gives it. */
function slow(): Slow {
  const store = memoryTransport();
  const primary: Slow = {
    ...store,
    name: "slow",
    store,
    trips: [],
    isAway: false,
    latencyMs: 0,
    async send(commands: readonly Command[], options?: SendOptions) {
      if (primary.isAway) throw new TransportError("unreachable", "away", { transport: "slow", delivery: "none" });
      primary.trips.push(commands);
      const timeoutMs = options?.timeoutMs ?? 500;
      await new Promise((resolve) => setTimeout(resolve, Math.min(primary.latencyMs, timeoutMs)));
      if (primary.latencyMs < timeoutMs) return store.send(commands);
      throw new TransportError("timeout", "too slow", { transport: "slow" });
    },
  };
  return primary;
}

describe("a recovery from an outage of a primary that is slow", () => {
  let primary: Slow;
  let transport: Transport;
  beforeEach(() => {
    vi.useFakeTimers();
    primary = slow();
    transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "1s" });
  });
  afterEach(async () => {
    const closed = transport.close();
    await vi.runAllTimersAsync();
    await closed;
    vi.useRealTimers();
  });
  const isLocal = (): boolean => transport.status?.currentBackend === "local";
  const until = async (condition: () => boolean, withinMs: number): Promise<void> => {
    for (let ms = 0; ms < withinMs && !condition(); ms += 50) await vi.advanceTimersByTimeAsync(50);
    expect(condition()).toBe(true);
  };
  const goAway = async (commands: readonly Command[]): Promise<void> => {
    primary.isAway = true;
    await transport.send(commands);
    expect(isLocal()).toBe(true);
  };

  const startWriter = () => {
    let written = 0;
    const timer = setInterval(() => {
      written++;
      const trip: Command[] = [
        ["INCR", "n"],
        ["SET", `own:${written}`, "x"],
      ];
      transport.send(trip, { timeoutMs: 500 }).catch(() => {});
    }, 20);
    return { written: () => written, stop: () => clearInterval(timer) };
  };
  const counted = async (): Promise<number> => Number((await primary.store.send([["GET", "n"]]))[0]);
  /** A PING is quick, all else takes its time. */
  const slowDown = (latencyMs: number, leastTimeoutMs = 0): void => {
    const { send } = primary;
    primary.send = (commands, options) => {
      primary.latencyMs = commands[0]?.[0] === "PING" ? 1 : latencyMs;
      return send(commands, { ...options, timeoutMs: Math.max(leastTimeoutMs, options?.timeoutMs ?? 500) });
    };
  };

  it.each([5, 100, 170])(
    "ends while callers go on writing, at %s ms per trip and 500 ms per call",
    async (latencyMs) => {
      await goAway([["SET", "own", "1"]]);
      primary.isAway = false;
      slowDown(latencyMs);
      const writer = startWriter();
      await until(() => !isLocal(), 30_000);
      writer.stop();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
      expect(await counted()).toBe(writer.written());
    },
  );

  it.each([250, 400, 600])(
    "keeps up with callers, and ends when they pause, at %s ms a trip and 500 ms a call",
    async (latencyMs) => {
      await goAway([["SET", "own", "1"]]);
      primary.isAway = false;
      slowDown(latencyMs);
      const writer = startWriter();
      await vi.advanceTimersByTimeAsync(20_000);
      // No call is sent to a primary that could not answer it in time: it would be counted twice.
      expect(isLocal()).toBe(true);
      expect(await counted()).toBeGreaterThan(writer.written() - 150);
      writer.stop();
      await until(() => !isLocal(), 10_000);
      expect(await counted()).toBe(writer.written());
    },
  );

  it("replays to a primary that is too slow for calls, which stay local until it is quicker", async () => {
    await goAway([["SET", "own", "1"]]);
    primary.isAway = false;
    primary.latencyMs = 700;
    for (let at = 0; at < 20; at++) {
      await transport.send([["INCR", "n"]], { timeoutMs: 500 });
      await vi.advanceTimersByTimeAsync(500);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.status).toMatchObject({ currentBackend: "local", pending: 0 });
    expect(await counted()).toBe(20);
    primary.latencyMs = 50;
    await until(() => !isLocal(), 10_000);
    expect(await primary.store.send([["MGET", "own", "n"]])).toEqual([["1", "20"]]);
  });

  it("gives its trips more time than calls have, and more after each timeout", async () => {
    await goAway(Array.from({ length: 5_000 }, (_, at): Command => ["SET", `own:${at}`, "x"]));
    primary.isAway = false;
    slowDown(3_000);
    await until(() => !isLocal(), 120_000);
    expect(await primary.store.send([["DBSIZE"]])).toEqual([5_000]);
    const sizes = primary.trips.filter(([first]) => first?.[0] === "EVAL").map(({ length }) => length);
    // Fewer batches after the first timeouts, more again once they get through.
    expect(sizes[0]).toBeGreaterThan(1);
    expect(Math.min(...sizes)).toBeLessThan(sizes[0] ?? 0);
  });

  it("does not restart a scan of all keys that takes minutes", async () => {
    await primary.store.send(Array.from({ length: 60_000 }, (_, at): Command => ["SET", `key:${at}`, "x"]));
    await goAway([["SET", "own", "1"]]);
    await transport.send([["PING"]], { invalidates: ["key:*9"] });
    primary.isAway = false;
    slowDown(2_000, 3_000);
    await until(() => !isLocal(), 300_000);
    const starts = primary.trips.flat().filter(([name, cursor]) => name === "SCAN" && cursor === "0");
    expect(starts).toHaveLength(1);
    expect(await primary.store.send([["DBSIZE"]])).toEqual([54_001]);
  });
});
