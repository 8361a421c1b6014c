import type { RateLimit } from "./rate-limit.ts";

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
