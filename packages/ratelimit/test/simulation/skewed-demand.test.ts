import { scaled } from "@continuum-cache/test-scale";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Algorithm, RateLimiter } from "../../src/index.ts";
import { randomOf } from "./random-of.ts";
import { createSimulatedRedis } from "./simulated-redis.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const windowMs = 3_000;
const demands = [0.6, 0.2, 0.15, 0.05];

/** The most that was accepted within any window. */
const worst = (timesMs: readonly number[]): number => {
  let from = 0;
  return timesMs.reduce((most, time, at) => {
    while ((timesMs[from] ?? 0) <= time - windowMs) from++;
    return Math.max(most, at - from + 1);
  }, 0);
};

describe("four processes with skewed demand, through an outage", () => {
  it.each<[Algorithm, boolean]>([
    ["sliding-window", true],
    ["sliding-window", false],
    ["token-bucket", false],
  ])("%s, Redis coming back with its data: %s", async (algorithm, isKept) => {
    for (let seed = 1; seed <= scaled(3); seed++) {
      const random = randomOf(seed);
      const redis = createSimulatedRedis();
      const near = { requestMs: random, replyMs: random, connectMs: random };
      const limiters = demands.map(() => {
        const options = { algorithm, window: `${windowMs}ms`, limit: 100 } as const;
        const limiter = new RateLimiter({ transport: redis.connect(near) }, options);
        limiter.on("error", () => {});
        return limiter;
      });
      const accepted: number[] = [];
      const pending: Promise<void>[] = [];
      /** Demand of three times the limit, evenly, from each process by its share. */
      const load = async (forMs: number): Promise<void> => {
        const due = demands.map(() => 0);
        for (let atMs = 0; atMs < forMs; atMs += windowMs / 300) {
          for (const [index, demand] of demands.entries()) due[index] = (due[index] ?? 0) + demand;
          const next = due.indexOf(Math.max(...due));
          due[next] = (due[next] ?? 0) - 1;
          const ask = async () => {
            if ((await limiters[next]?.limit("ann"))?.allowed) accepted.push(performance.now());
          };
          pending.push(ask());
          await vi.advanceTimersByTimeAsync(windowMs / 300);
        }
      };
      await load(1.5 * windowMs);
      redis.kill();
      const acceptedBefore = accepted.length;
      await load(1.75 * windowMs);
      const during = accepted.length - acceptedBefore;
      if (isKept) redis.restart();
      else await redis.restartEmpty();
      await load(1.5 * windowMs);
      await vi.advanceTimersByTimeAsync(10_000);
      await Promise.all(pending);
      // A fresh local limiter in each process would let 220 to 295 through. A fixed window doubles at its boundary by
      // nature.
      expect(worst(accepted)).toBeLessThanOrEqual(algorithm === "sliding-window" ? 130 : 230);
      // Nor does it stand still: a full window and three quarters are worth 175.
      expect(during).toBeGreaterThan(90);
    }
  });
});
