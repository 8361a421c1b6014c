/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above what was measured when it
 * was set: whoever goes beyond it decides so here. `print-sizes.ts` prints what is measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 86_220 },
  "@continuum-cache/conformance/outages": { "*": 20_520 },
  "@continuum-cache/conformance/servers": { "*": 3_980 },
  "@continuum-cache/core": { "*": 30_930, Cache: 19_760 },
  "@continuum-cache/core/compressed": { "*": 6_580 },
  "@continuum-cache/core/msgpack": { "*": 10_740 },
  "@continuum-cache/fallback-memory": { "*": 53_690, withFallback: 50_880 },
  "@continuum-cache/fallback-memory/file-journal": { "*": 8_370 },
  "@continuum-cache/fallback-memory/options": { "*": 1_850 },
  "@continuum-cache/federation-queue": { "*": 58_950 },
  "@continuum-cache/pubsub": { "*": 31_430 },
  "@continuum-cache/pubsub/websocket": { "*": 8_900 },
  "@continuum-cache/ratelimit": { "*": 36_260, RateLimiter: 33_800 },
  "@continuum-cache/ratelimit/express": { "*": 6_170 },
  "@continuum-cache/ratelimit/fetch": { "*": 6_020 },
  "@continuum-cache/ratelimit/hono": { "*": 6_150 },
  "@continuum-cache/transport-rest": { "*": 36_710 },
  "@continuum-cache/transport-rest/plain": { "*": 16_720 },
  "@continuum-cache/transport-tcp": { "*": 78_520 },
  "@continuum-cache/upstash-local": { "*": 114_360 },
  "continuum-cache": { "*": 184_940, UpstashCache: 117_090 },
  "continuum-cache/rest": { "*": 36_000, UpstashCache: 34_470 },
};

/** The most of it that may be loaded before anything is used, where some of it is loaded later. */
export const budgetsAtOnce: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/pubsub": { "*": 18_430 },
  "continuum-cache": { "*": 126_250, UpstashCache: 58_130 },
};

/** They need sockets or processes, so they are bundled for Node; all others as for a Worker. */
export const nodeOnly: ReadonlySet<string> = new Set([
  "@continuum-cache/conformance",
  "@continuum-cache/conformance/outages",
  "@continuum-cache/conformance/servers",
  "@continuum-cache/fallback-memory/file-journal",
  "@continuum-cache/transport-tcp",
  "@continuum-cache/upstash-local",
]);
