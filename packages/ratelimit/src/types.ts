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
  /** What is limited. The same id has a count of its own in each scope. @default "default" */
  readonly scope?: string;
  /** For `token-bucket`: how many tokens the bucket holds. @default the limit */
  readonly burst?: number;
}

/** How to decide one call. Missing options are taken from the limiter's own. */
export interface LimitOptions extends Partial<RateLimit> {
  /** How much quota the call takes, all of it or none: a whole number of at least 1. @default 1 */
  readonly cost?: number;
}

/**
 * What made a decision: Redis; the memory of this process while Redis is away; a remembered denial that still applies;
 * or the policy for when Redis does not decide (`onError`). `"closed"` is also the source when a process has no share
 * of the limit.
 */
export type DecisionSource = "redis" | "local" | "deny-cache" | "open" | "closed";

/**
 * The decision of a rate limiter on one call.
 *
 * @example
 * ```ts
 * import type { Decision } from "@continuum-cache/ratelimit";
 *
 * const answer = ({ allowed, retryAfter }: Decision) =>
 *   allowed ? new Response("welcome") : new Response(`Try again in ${Math.ceil(retryAfter)} s`, { status: 429 });
 * ```
 */
export interface Decision {
  /** Whether the call may go ahead. A refused call is charged nothing. */
  readonly allowed: boolean;
  /** How much the window holds. */
  readonly limit: number;
  /** How much of it is left after this call. */
  readonly remaining: number;
  /** How much of it is used, this call included. */
  readonly current: number;
  /** When all of it will be free again if nothing more is accepted. */
  readonly resetAt: Date;
  /** Seconds until the same call would be allowed, exactly; 0 when it is. */
  readonly retryAfter: number;
  /** Seconds until more is free than now; 0 when all of it is free. */
  readonly moreAfter: number;
  readonly source: DecisionSource;
  /** When the call was decided, by the clock of the server: microseconds since 1970. */
  readonly decidedAtUs: number;
  readonly scope: string;
  readonly windowSeconds: number;
  /** Gives an accepted call back, with `refund`. Absent when the call was refused or no quota was charged. */
  readonly receipt?: Receipt;
}

/**
 * The decision on one call that is under several limits: they are charged together, or none is.
 *
 * @example
 * ```ts
 * import { type CombinedDecision, rateLimitHeaders } from "@continuum-cache/ratelimit";
 *
 * const headersOf = ({ decisions }: CombinedDecision) => rateLimitHeaders(decisions);
 * ```
 */
export interface CombinedDecision {
  /** Whether every limit allowed the call. */
  readonly allowed: boolean;
  /** Seconds until every limit would allow the same call. */
  readonly retryAfter: number;
  readonly source: DecisionSource;
  /** The decision of each limit by itself, in the order of the limits. */
  readonly decisions: readonly Decision[];
}

/** How much of a limit is used. */
export interface Usage {
  readonly current: number;
  readonly limit: number;
  readonly remaining: number;
  /** When all of it will be free again if nothing more is accepted. */
  readonly resetAt: Date;
}

/** The events of a rate limiter. No event ever holds an id. */
export interface RateLimiterEvents {
  /**
   * A request to Redis failed: it did not answer in time, refused, or cannot be reached from this runtime. The call was
   * decided as `onError` says.
   */
  error: { readonly operation: string; readonly error: Error };
  /** What decides has changed: `onError` applies while Redis is away, and Redis decides again when it is back. */
  backend: { readonly from: "redis" | OnError; readonly to: "redis" | OnError; readonly reason: string };
}

/**
 * Proves that a call was accepted, so that it can be given back. Plain data: store it, or pass it to another process.
 *
 * @example
 * ```ts
 * import type { RateLimiter } from "@continuum-cache/ratelimit";
 *
 * async function charged(limiter: RateLimiter, id: string, work: () => Promise<void>): Promise<boolean> {
 *   const { allowed, receipt } = await limiter.limit(id, { window: "1m", limit: 100 });
 *   if (!allowed) return false;
 *   await work().catch(async (error: unknown) => {
 *     if (receipt) await limiter.refund(receipt); // failed work does not count
 *     throw error;
 *   });
 *   return true;
 * }
 * ```
 */
export interface Receipt {
  /** Globally unique, so that a call is given back once only. */
  readonly id: string;
  readonly key: string;
  /**
   * When the key was created, in microseconds since 1970. A reset drops calls that were accepted before it.
   */
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
 * - `sliding-window`: no window of this length ever holds more than the limit, wherever it begins. Exact up to a limit
 *   of 2,000; above, what is used becomes free up to 1/256 of the window late, and never early.
 * - `sliding-log`: the same, exact for every limit (about 6 bytes for each accepted call).
 * - `fixed-window`: windows that begin at full multiples of their length. Cheapest; around a boundary up to twice the
 *   limit passes.
 * - `token-bucket`: a bucket of `burst` tokens (the limit, unless said otherwise) that `limit` tokens flow into per
 *   window.
 */
export type Algorithm = "sliding-window" | "sliding-log" | "fixed-window" | "token-bucket";

/**
 * What happens to calls while Redis does not decide: this process goes on with its share of each limit, if it has one;
 * or every call is allowed; or none.
 */
export type OnError = "local" | "open" | "closed";
