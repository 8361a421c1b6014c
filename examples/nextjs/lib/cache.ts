import { RateLimiter, UpstashCache } from "continuum-cache";

interface Shared {
  readonly cache: UpstashCache;
  readonly limiter: RateLimiter;
}

// Next.js evaluates this module once per bundle, and in development after every change; all copies share one cache.
const key = Symbol.for("app.cache");
const store = globalThis as { [key]?: Shared };

/**
 * The cache. It is created at its first use, since `next build` evaluates every module and a build has no secrets.
 *
 * UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or Vercel's KV_REST_API_…) name the database. The cache uses
 * REST, so it runs in Node and on the edge. A call takes two seconds at most; in an outage the memory of this process
 * answers.
 *
 * @throws ConfigError that names the missing variable.
 */
export const getCache = (): UpstashCache => getShared().cache;

/** The rate limiter on the same database, created in the same way. */
export const getLimiter = (): RateLimiter => getShared().limiter;

function getShared(): Shared {
  store[key] ??= createShared();
  return store[key];
}

function createShared(): Shared {
  const cache = new UpstashCache({ mode: "rest", timeout: "2s" });
  const limiter = new RateLimiter(cache);
  // In an outage the memory of this process answers; the log says so.
  cache.on("backend", ({ to, reason }) => console.warn(`Cache: "${to}" answers now: ${reason}`));
  limiter.on("backend", ({ to, reason }) => console.warn(`Rate limits: "${to}" decides now: ${reason}`));
  limiter.on("error", ({ operation, error }) => console.error(`Rate limits: ${operation}: ${error.message}`));
  return { cache, limiter };
}
