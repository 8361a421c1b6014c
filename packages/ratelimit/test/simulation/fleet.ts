import { vi } from "vitest";
import { type LimitOptions, RateLimiter, type RateLimiterOptions } from "../../src/index.ts";
import type { Distance, SimulatedRedis } from "./simulated-redis.ts";

/** One decision, and the times between which it was made, in milliseconds. */
export interface Decided {
  readonly process: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly allowed: boolean;
  readonly source: string;
  readonly cost: number;
  /** The time in the receipt, in milliseconds. */
  readonly acceptedMs: number | undefined;
}

export interface FleetOptions {
  readonly processes: number;
  readonly forMs: number;
  readonly limiter: RateLimiterOptions;
  readonly distance: (process: number) => Distance;
  /** How many calls a process makes at a time. @default 1 */
  readonly lanes?: number;
  /** How long a process pauses after each decision, in milliseconds. */
  readonly pauseMs: (process: number) => number;
  readonly call?: LimitOptions;
  /** When each process starts. @default all at once */
  readonly startsAtMs?: (process: number) => number;
}

/** Lets each process decide in a loop on one id, on fake timers. */
export async function runFleet(redis: SimulatedRedis, options: FleetOptions): Promise<Decided[]> {
  const { processes, forMs, limiter: limiterOptions, distance, pauseMs, call = {}, startsAtMs = () => 0 } = options;
  const { lanes = 1 } = options;
  const decided: Decided[] = [];
  const endMs = performance.now() + forMs;
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  const work = async (process: number): Promise<void> => {
    await sleep(startsAtMs(process));
    const limiter = new RateLimiter({ transport: redis.connect(distance(process)) }, limiterOptions);
    limiter.on("error", () => {});
    const lane = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const startMs = performance.now();
        const { allowed, source, receipt } = await limiter.limit("shared", call);
        const acceptedMs = receipt && receipt.atUs / 1_000;
        decided.push({ process, startMs, endMs: performance.now(), allowed, source, cost: call.cost ?? 1, acceptedMs });
        await sleep(pauseMs(process));
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  const all = Promise.all(Array.from({ length: processes }, (_, process) => work(process)));
  while (performance.now() < endMs + 20_000) await vi.advanceTimersByTimeAsync(100);
  await all;
  return decided;
}

/** The most that was certainly allowed within one window: calls that began and ended in it. */
export function certainlyWithin(decided: readonly Decided[], windowMs: number): number {
  const allowed = decided.filter((call) => call.allowed);
  return allowed.reduce((most, { startMs: fromMs }) => {
    const within = allowed.filter(({ startMs, endMs }) => startMs >= fromMs && endMs < fromMs + windowMs);
    return Math.max(
      most,
      within.reduce((sum, { cost }) => sum + cost, 0),
    );
  }, 0);
}
