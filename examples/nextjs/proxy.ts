import { withRateLimit } from "@continuum-cache/ratelimit/fetch";
import { NextResponse } from "next/server";
import { getLimiter } from "./lib/cache";

/**
 * Allows 100 requests a minute per address. In Next.js 15 and older, name this file middleware.ts and the export
 * `middleware`.
 */
export const proxy = withRateLimit(() => NextResponse.next(), getLimiter, {
  scope: "api",
  window: "1m",
  limit: 100,
  // The last address of X-Forwarded-For, which Vercel or your own proxy writes.
  trustedProxies: 1,
});

export const config = { matcher: "/api/:path*" };
