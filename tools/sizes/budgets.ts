/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above what was measured when it
 * was set: whoever goes beyond it decides so here. `print-sizes.ts` prints what is measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 86_170 },
  "@continuum-cache/conformance/outages": { "*": 20_410 },
  "@continuum-cache/conformance/servers": { "*": 3_980 },
  "@continuum-cache/core": { "*": 28_450, Cache: 18_590 },
  "@continuum-cache/core/compressed": { "*": 6_600 },
  "@continuum-cache/core/msgpack": { "*": 10_360 },
  "@continuum-cache/fallback-memory": { "*": 50_050, withFallback: 47_750 },
  "@continuum-cache/fallback-memory/file-journal": { "*": 8_220 },
  "@continuum-cache/federation-queue": { "*": 55_620 },
  "@continuum-cache/pubsub": { "*": 27_940 },
  "@continuum-cache/pubsub/websocket": { "*": 8_910 },
  "@continuum-cache/ratelimit": { "*": 36_990, RateLimiter: 34_580 },
  "@continuum-cache/ratelimit/express": { "*": 6_170 },
  "@continuum-cache/ratelimit/fetch": { "*": 6_020 },
  "@continuum-cache/ratelimit/hono": { "*": 6_140 },
  "@continuum-cache/transport-rest": { "*": 35_650 },
  "@continuum-cache/transport-tcp": { "*": 75_350 },
  "@continuum-cache/upstash-local": { "*": 109_800 },
  "continuum-cache": { "*": 188_320, UpstashCache: 124_840 },
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
