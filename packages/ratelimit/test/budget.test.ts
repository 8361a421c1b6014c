import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RateLimiter, type RateLimiterOptions } from "../src/index.ts";
import { createSimulatedRedis } from "./simulation/simulated-redis.ts";

// Real limiters in front of a simulated Redis, on fake timers: every wait is exact, whatever else the machine does.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a trip takes there and back, and what the connection takes before the first one. */
const tripMs = 4;
const connectMs = 6;
/** Timers round up: each of the slices of a wait takes up to two milliseconds more. */
const roundingMs = 10;
/** The usual round trip is its average and four times its variation, or what connecting took. */
const onceMs = 250 + 5 * (tripMs + connectMs) + roundingMs;

/** How long something takes on the fake clock. */
async function timed(work: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  while (!isOver) await vi.advanceTimersByTimeAsync(1);
  await work;
  return performance.now() - startMs;
}

/** What each of 200 decisions takes after Redis has answered 20 of them and then gone away. */
async function decideAll(fault: "killed" | "frozen", options: RateLimiterOptions): Promise<number[]> {
  const redis = createSimulatedRedis();
  const distance = { requestMs: () => tripMs / 2, replyMs: () => tripMs / 2, connectMs: () => connectMs };
  const transport = redis.connect(distance);
  const limiter = new RateLimiter({ transport }, { window: "1h", limit: 10_000, ...options });
  limiter.on("error", () => {});
  for (let call = 0; call < 20; call++) await timed(limiter.limit("ann"));
  if (fault === "killed") redis.kill();
  else redis.freeze();
  const tookMs: number[] = [];
  for (let call = 0; call < 200; call++) {
    const deciding = limiter.limit("ann");
    tookMs.push(await timed(deciding));
    expect(await deciding).toMatchObject({ allowed: true, source: "local" });
  }
  if (fault === "frozen") redis.thaw();
  await timed(limiter.close());
  return tookMs;
}

describe("the budget of a decision", () => {
  it.each(["killed", "frozen"] as const)("is kept by a single process while Redis is %s", async (fault) => {
    const tookMs = await decideAll(fault, { processes: 1 });
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(onceMs);
    expect(tookMs.filter((ms) => ms >= 250).length).toBeLessThan(tookMs.length / 10);
  });

  it.each(["killed", "frozen"] as const)(
    "is exceeded by one call of one process of several, until it is clear that Redis is %s for all",
    async (fault) => {
      const [firstMs = 0, ...othersMs] = await decideAll(fault, {});
      // Refused connections tell sooner than silence.
      expect(firstMs).toBeLessThanOrEqual(fault === "killed" ? onceMs : 3 * onceMs);
      expect(Math.max(...othersMs)).toBeLessThanOrEqual(onceMs);
      expect(othersMs.filter((ms) => ms >= 250).length).toBeLessThan(othersMs.length / 10);
    },
  );
});
