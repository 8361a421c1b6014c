/**
 * A call costs more than its limit ever holds, so that no wait would let it through. Nothing was asked and nothing
 * charged.
 *
 * @example
 * ```ts
 * import { CostError, type RateLimiter } from "@continuum-cache/ratelimit";
 *
 * async function mayImport(limiter: RateLimiter, user: string, rows: number): Promise<boolean> {
 *   try {
 *     return (await limiter.limit(user, { window: "1h", limit: 10_000, cost: rows })).allowed;
 *   } catch (error) {
 *     if (error instanceof CostError) return false; // to be split up
 *     throw error;
 *   }
 * }
 * ```
 */
export class CostError extends RangeError {
  override readonly name = "CostError";
  readonly cost: number;
  /** The most that one call may cost. */
  readonly most: number;

  constructor(cost: number, most: number) {
    super(`Expected \`cost\` to be at most ${most}, which is all that the limit holds, got ${cost}: split the call up`);
    this.cost = cost;
    this.most = most;
  }
}
