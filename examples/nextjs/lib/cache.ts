import { UpstashCache } from "continuum-cache";

// In development Next.js loads this module anew with every change: the cache of before goes on.
const kept = globalThis as { cache?: UpstashCache };

/** UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or Vercel's KV_REST_API_…) name the database; REST only, so it runs
 * in Node and on the edge. Calls are answered within two seconds, from memory while Upstash is away. */
export const cache: UpstashCache = kept.cache ?? new UpstashCache({ mode: "rest", timeout: "2s" });
kept.cache = cache;
