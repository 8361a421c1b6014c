/**
 * What proves that a call was accepted, and gives it back. Plain data: it may be stored, and given to another process.
 *
 * @example
 * ```ts
 * import type { RateLimiter } from "@continuum-cache/ratelimit";
 *
 * async function charged(limiter: RateLimiter, id: string, work: () => Promise<void>): Promise<boolean> {
 *   const { allowed, receipt } = await limiter.limit(id, { window: "1m", limit: 100 });
 *   if (!allowed) return false;
 *   await work().catch(async (error: unknown) => {
 *     if (receipt) await limiter.refund(receipt); // what failed shall not count
 *     throw error;
 *   });
 *   return true;
 * }
 * ```
 */
export interface Receipt {
  /** Unique in the world: what was given back once is not given back again. */
  readonly id: string;
  readonly key: string;
  /** When the key was made, in microseconds since 1970: after a reset, what was accepted before is not there any more. */
  readonly bornUs: number;
  readonly algorithm: Algorithm;
  /** When the call was accepted, by the clock of the server: microseconds since 1970. */
  readonly atUs: number;
  readonly cost: number;
  readonly limit: number;
  /** The most that could be used at once: the limit, or what the bucket held. */
  readonly capacity: number;
  /** The length of the window, in microseconds. */
  readonly windowUs: number;
}

/**
 * How calls are counted.
 *
 * - `sliding-window`: no window of this length ever holds more than the limit, wherever it begins. Exact up to a limit of
 *   2,000; above, what is used becomes free up to 1/256 of the window late, and never early.
 * - `sliding-log`: the same, exact for every limit (about 6 bytes for each accepted call).
 * - `fixed-window`: windows that begin at full multiples of their length. Cheapest; around a boundary up to twice the
 *   limit passes.
 * - `token-bucket`: a bucket of `burst` tokens (the limit, unless said otherwise) that `limit` tokens flow into per window.
 */
export type Algorithm = "sliding-window" | "sliding-log" | "fixed-window" | "token-bucket";
