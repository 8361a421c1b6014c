/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above what was measured when it
 * was set: whoever goes beyond it decides so here. `print-sizes.ts` prints what is measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 83_940 },
  "@continuum-cache/conformance/outages": { "*": 17_590 },
  "@continuum-cache/conformance/servers": { "*": 3_890 },
  "@continuum-cache/core": { "*": 26_570, Cache: 16_590 },
  "@continuum-cache/core/compressed": { "*": 6_200 },
  "@continuum-cache/core/msgpack": { "*": 10_400 },
  "@continuum-cache/fallback-memory": { "*": 50_340, withFallback: 37_700 },
  "@continuum-cache/fallback-memory/file-journal": { "*": 7_160 },
  "@continuum-cache/federation-queue": { "*": 46_940 },
  "@continuum-cache/pubsub": { "*": 19_360 },
  "@continuum-cache/pubsub/websocket": { "*": 6_540 },
  "@continuum-cache/ratelimit": { "*": 29_390, RateLimiter: 26_970 },
  "@continuum-cache/ratelimit/express": { "*": 5_200 },
  "@continuum-cache/ratelimit/fetch": { "*": 5_030 },
  "@continuum-cache/ratelimit/hono": { "*": 5_150 },
  "@continuum-cache/transport-rest": { "*": 34_410 },
  "@continuum-cache/transport-tcp": { "*": 67_350 },
  "@continuum-cache/upstash-local": { "*": 113_950 },
  "continuum-cache": { "*": 166_210, UpstashCache: 112_750 },
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
