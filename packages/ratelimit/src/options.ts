import type { Duration, Transport } from "@continuum-cache/core";
import type { Algorithm, OnError, RateLimit } from "./types.ts";

/** The backend of a limiter: a cache, or a transport. */
export interface RateLimiterBackend {
  readonly transport: Transport;
  /** The prefix of its keys. @default "" */
  readonly keyPrefix?: string;
}

/** How a limiter decides. `window`, `limit`, `scope` and `burst` are for calls that leave them out. */
export interface RateLimiterOptions extends Partial<RateLimit> {
  /** @default "sliding-window" */
  readonly algorithm?: Algorithm;
  /**
   * What happens while Redis does not decide: `"local"` goes on in this process with its share of each limit, `"open"`
   * allows every call, `"closed"` none; these two wait for one `budget` only. A process that Redis has never answered
   * has no share and refuses, with `source: "closed"`, unless `processes` says how many there are.
   * @default "local"
   */
  readonly onError?: OnError;
  /**
   * How long Redis has for one decision, beyond its usual round trip, which is measured. Connecting and the first
   * answer have 5 seconds. When an outage begins, a call waits for three times the budget and the round trip, until it
   * is clear that Redis is away for all; for once where `processes` is 1 or `onError` is not `"local"`. A number is
   * seconds. @default "250ms"
   */
  readonly budget?: Duration;
  /**
   * How many processes share the limits equally, at least 1. In an outage each goes on with that part of them, rounded
   * down, also a process that has never reached Redis. After a refused or late answer a process stays within its part
   * for a while. Without this option, the part is estimated for each key from this process's share of the traffic.
   */
  readonly processes?: number;
  /**
   * Remembered denials, which cost no command; `false` for none. @default { maxEntries: 10000, maxAge: "5s" }
   */
  readonly denyCache?: DenyCacheOptions | false;
  /** How many keys are remembered for an outage. The least recently used are dropped first. @default 10000 */
  readonly maxKeys?: number;
  /** Keeps the platform from ending work in the background, as a Worker's `ctx.waitUntil` does. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
}

/** How long denials are remembered, and how many. */
export interface DenyCacheOptions {
  /** @default 10000 */
  readonly maxEntries?: number;
  /**
   * How long a denial is remembered at most. A reset or a refund by another process is noticed after that time, one by
   * this process at once. A number is seconds. @default "5s"
   */
  readonly maxAge?: Duration;
}

/**
 * The limits of CONTINUUM's own interfaces.
 *
 * @example
 * ```ts
 * import { presets, type RateLimiter } from "@continuum-cache/ratelimit";
 *
 * const maySearch = async (limiter: RateLimiter, user: string) => (await limiter.limit(user, presets.search)).allowed;
 * ```
 */
export const presets: Readonly<Record<"api" | "search" | "federation", RateLimit>> = {
  api: { scope: "api", window: "1m", limit: 100 },
  search: { scope: "search", window: "1m", limit: 20 },
  federation: { scope: "federation", window: "1m", limit: 500 },
};
