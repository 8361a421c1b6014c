import type { Receipt } from "./receipt.ts";

/**
 * What made a decision: Redis; the memory of this process while Redis is away; a denial that is remembered and still
 * stands; or the policy for when Redis does not decide (`onError`). `"closed"` is also the answer of a process that
 * has no share of the limit.
 */
export type DecisionSource = "redis" | "local" | "deny-cache" | "open" | "closed";

/**
 * What a rate limiter says to one call.
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
  /** Seconds until more is free than now; 0 when all is. */
  readonly moreAfter: number;
  readonly source: DecisionSource;
  /** When it was decided, by the clock of the server: microseconds since 1970. */
  readonly decidedAtUs: number;
  readonly scope: string;
  readonly windowSeconds: number;
  /** What gives an accepted call back; absent when it was refused, or when no quota was charged. */
  readonly receipt?: Receipt;
}

/**
 * What a rate limiter says to one call that is under several limits: they are charged together, or none is.
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
  /** Seconds until every one of them would. */
  readonly retryAfter: number;
  readonly source: DecisionSource;
  /** What each limit says by itself, in the order of asking. */
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
