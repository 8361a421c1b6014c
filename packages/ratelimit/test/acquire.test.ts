import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CostError, RateLimiter, WaitError } from "../src/index.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const limiterOf = () => new RateLimiter({ transport: memoryTransport() }, { window: "2s", limit: 10 });

describe("acquire", () => {
  it("serves callers in order, each at its own time: twenty callers at ten per 2 s are served by 2 s", async () => {
    const limiter = limiterOf();
    // Ten were accepted over one second.
    for (let call = 0; call < 10; call++) {
      await limiter.limit("mail");
      await vi.advanceTimersByTimeAsync(100);
    }
    const startMs = Date.now();
    const served: [number, number][] = [];
    const waiting = Array.from({ length: 20 }, (_, number) =>
      limiter.acquire("mail").then(() => served.push([number, Date.now() - startMs])),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(waiting);
    expect(served.map(([number]) => number)).toEqual(Array.from({ length: 20 }, (_, number) => number));
    // The first ten as the old calls leave the window, each 2 s after it came; then those after themselves.
    for (const [number, ms] of served) {
      const expected = 1_000 + (number % 10) * 100 + Math.floor(number / 10) * 2_000;
      expect(ms).toBeGreaterThanOrEqual(expected);
      expect(ms).toBeLessThanOrEqual(expected + 2);
    }
  });

  it("serves a large cost at the front of the queue before small costs behind it", async () => {
    const limiter = limiterOf();
    await limiter.limit("mail", { cost: 5 });
    const served: string[] = [];
    const large = limiter.acquire("mail", { cost: 8 }).then(() => served.push("large"));
    const small = limiter.acquire("mail", { cost: 1 }).then(() => served.push("small"));
    await vi.advanceTimersByTimeAsync(1_500);
    expect(served).toEqual([]);
    await vi.advanceTimersByTimeAsync(600);
    await Promise.all([large, small]);
    expect(served).toEqual(["large", "small"]);
  });

  it("rejects at the timeout or by the signal, charges nothing, and serves the next caller", async () => {
    const limiter = limiterOf();
    await limiter.limit("mail", { cost: 10 });
    const controller = new AbortController();
    const late = limiter.acquire("mail", { timeout: "500ms" }).catch((error: unknown) => error);
    const aborted = limiter.acquire("mail", { signal: controller.signal }).catch((error: unknown) => error);
    const patient = limiter.acquire("mail");
    await vi.advanceTimersByTimeAsync(500);
    expect(await late).toBeInstanceOf(WaitError);
    controller.abort(new Error("enough"));
    expect(await aborted).toMatchObject({ message: "enough" });
    await vi.advanceTimersByTimeAsync(1_501);
    expect(await patient).toMatchObject({ allowed: true, current: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait for callers of other keys, and resolves at once when the call fits", async () => {
    const limiter = limiterOf();
    await limiter.limit("mail", { cost: 10 });
    const blocked = limiter.acquire("mail", { timeout: "1s" }).catch((error: unknown) => error);
    expect(await limiter.acquire("letters")).toMatchObject({ allowed: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await blocked).toBeInstanceOf(WaitError);
  });

  it("rejects at once for a cost above the limit, a signal that has fired, and a closed limiter", async () => {
    const limiter = limiterOf();
    await expect(limiter.acquire("mail", { cost: 11 })).rejects.toBeInstanceOf(CostError);
    await expect(limiter.acquire("mail", { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    await limiter.limit("mail", { cost: 10 });
    const waiting = limiter.acquire("mail").catch((error: unknown) => error);
    await limiter.close();
    expect(await waiting).toMatchObject({ message: "The rate limiter was closed" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
