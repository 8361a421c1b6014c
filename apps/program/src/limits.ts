import type { RateLimit } from "@continuum-cache/ratelimit";

/** The limits of one visitor: generous to people, tight for loops. */
export const limits: Readonly<Record<"search" | "read" | "invalidate", RateLimit>> = {
  search: { scope: "demo:search", window: "1m", limit: 120 },
  read: { scope: "demo:read", window: "1m", limit: 300 },
  invalidate: { scope: "demo:invalidate", window: "1m", limit: 10 },
};
