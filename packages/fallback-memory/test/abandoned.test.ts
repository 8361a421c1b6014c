import { type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
let transport: Transport;
/** Trips that match are never answered, as if their request had ended. */
let isDropped: (name: string) => boolean;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  // As on the edge: a request that ends takes its timers with it.
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  primary = switchable();
  isDropped = () => false;
  const dropping: Transport = {
    ...primary,
    send: (commands, options) =>
      commands.some(([name]) => isDropped(name)) ? new Promise<Reply[]>(() => {}) : primary.send(commands, options),
  };
  transport = withFallback(dropping, memoryTransport(), { healthCheckInterval: "10s" });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const goAway = async (): Promise<void> => {
  primary.fail("unreachable");
  await transport.send([["SET", "a", "local"]]);
  expect(transport.status?.currentBackend).toBe("local");
};

/** A request whose probe is due, and that ends before the primary has answered the command of this name. */
const vanishDuring = async (dropped: string): Promise<void> => {
  isDropped = (name) => name === dropped;
  const { setTimeout: real } = globalThis;
  Object.assign(globalThis, { setTimeout: () => 0 });
  void transport.send([["GET", "a"]]).catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  Object.assign(globalThis, { setTimeout: real });
  isDropped = () => false;
};

describe("a return to the primary after its request has vanished", () => {
  it.each(["PING", "EVAL"])(
    "goes on with the next request, though the one before vanished during its %s",
    async (name) => {
      await goAway();
      primary.restore();
      await vi.advanceTimersByTimeAsync(11_000);
      await vanishDuring(name);
      await vi.advanceTimersByTimeAsync(500);
      const answer = transport.send([["GET", "a"]], { timeoutMs: 3_000 });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await answer).toEqual(["local"]);
      expect(transport.status?.currentBackend).toBe("upstash");
      expect(primary.sent).toContainEqual(["PING"]);
      expect(await primary.store.send([["GET", "a"]])).toEqual(["local"]);
    },
  );

  it("does not hold later calls back at a gate that a vanished request has shut", async () => {
    await goAway();
    primary.restore();
    await vi.advanceTimersByTimeAsync(11_000);
    await vanishDuring("EVAL");
    await vi.advanceTimersByTimeAsync(500);
    primary.fail("unreachable");
    const began = performance.now();
    const answered = vi.fn();
    void transport.send([["GET", "a"]]).then(answered);
    await vi.advanceTimersByTimeAsync(50);
    expect(answered).toHaveBeenCalledWith(["local"]);
    expect(performance.now() - began).toBeLessThanOrEqual(50);
  });
});

describe("a call that waited for its turn", () => {
  const queued = { queued: true, delivery: "none" } as const;

  it("is rejected while the primary answers: it is no outage", async () => {
    primary.fail("timeout", queued);
    await expect(transport.send([["INCR", "n"]])).rejects.toMatchObject({ kind: "timeout", queued: true });
    expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
  });

  it("is answered locally if the primary has failed meanwhile", async () => {
    const failures = [
      new TransportError("timeout", "away", { transport: "p" }),
      new TransportError("timeout", "in the queue", { transport: "p", ...queued }),
    ];
    const rejects: ((error: Error) => void)[] = [];
    const hanging: Transport = { ...primary, send: () => new Promise((_, reject) => rejects.push(reject)) };
    const both = withFallback(hanging, memoryTransport());
    const calls = [both.send([["INCR", "n"]]), both.send([["INCR", "n"]])];
    await new Promise((resolve) => setImmediate(resolve));
    for (const [at, reject] of rejects.entries()) reject(failures[at] as Error);
    expect(await Promise.all(calls)).toEqual([[1], [2]]);
    expect(both.status).toMatchObject({ currentBackend: "local", pending: 2 });
  });
});
