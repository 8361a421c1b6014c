import type { Duration } from "@continuum-cache/core";

/**
 * How much is allowed.
 *
 * @example
 * ```ts
 * import type { RateLimit } from "@continuum-cache/ratelimit";
 *
 * const uploads: RateLimit = { scope: "uploads", window: "1h", limit: 50 };
 * ```
 */
export interface RateLimit {
  /** The length of the window; at most 366 days. */
  readonly window: Duration;
  /** How much it holds: a whole number of at least 1. */
  readonly limit: number;
  /** What is limited. The same id is counted for itself in each scope. @default "default" */
  readonly scope?: string;
  /** For `token-bucket`: how many tokens the bucket holds. @default the limit */
  readonly burst?: number;
}

/** How to decide one call. What is missing is taken from the limiter's own options. */
export interface LimitOptions extends Partial<RateLimit> {
  /** How much the call takes: all of it or nothing. A whole number of at least 1. @default 1 */
  readonly cost?: number;
}
