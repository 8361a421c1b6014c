/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above what was measured when it
 * was set: whoever goes beyond it decides so here. `print-sizes.ts` prints what is measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 80_550 },
  "@continuum-cache/conformance/outages": { "*": 17_360 },
  "@continuum-cache/conformance/servers": { "*": 3_890 },
  "@continuum-cache/core": { "*": 17_730, Cache: 10_000 },
  "@continuum-cache/core/compressed": { "*": 5_240 },
  "@continuum-cache/core/msgpack": { "*": 7_410 },
  "@continuum-cache/fallback-memory": { "*": 39_980, withFallback: 28_230 },
  "@continuum-cache/fallback-memory/file-journal": { "*": 7_160 },
  "@continuum-cache/pubsub": { "*": 18_990 },
  "@continuum-cache/pubsub/websocket": { "*": 6_540 },
  "@continuum-cache/ratelimit": { "*": 29_010, RateLimiter: 26_580 },
  "@continuum-cache/ratelimit/express": { "*": 5_200 },
  "@continuum-cache/ratelimit/fetch": { "*": 5_030 },
  "@continuum-cache/ratelimit/hono": { "*": 5_150 },
  "@continuum-cache/transport-rest": { "*": 29_420 },
  "@continuum-cache/transport-tcp": { "*": 66_850 },
  "@continuum-cache/upstash-local": { "*": 95_850 },
  "continuum-cache": { "*": 116_590, UpstashCache: 102_200 },
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
