/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above
 * what was measured when it was set: a change that goes beyond it raises it here. `print-sizes.ts` prints what is
 * measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 86_110 },
  "@continuum-cache/conformance/servers": { "*": 4_390 },
  "@continuum-cache/core": { "*": 31_700, Cache: 25_450 },
  "@continuum-cache/core/compressed": { "*": 6_660, inflated: 4_130 },
  "@continuum-cache/core/idempotent": { "*": 4_300 },
  "@continuum-cache/core/kit": { "*": 21_840 },
  "@continuum-cache/core/msgpack": { "*": 9_720 },
  "@continuum-cache/core/streams": { "*": 9_240 },
  "@continuum-cache/fallback-memory": { "*": 54_340, withFallback: 51_450 },
  "@continuum-cache/fallback-memory/file-journal": { "*": 8_370 },
  "@continuum-cache/fallback-memory/options": { "*": 1_860 },
  "@continuum-cache/federation-queue": { "*": 66_680 },
  "@continuum-cache/journal-file": { "*": 8_370 },
  "@continuum-cache/near-cache": { "*": 16_180 },
  "@continuum-cache/pubsub": { "*": 34_300 },
  "@continuum-cache/pubsub/websocket": { "*": 8_900 },
  "@continuum-cache/ratelimit": { "*": 38_110, RateLimiter: 35_650 },
  "@continuum-cache/ratelimit/express": { "*": 6_170 },
  "@continuum-cache/ratelimit/fetch": { "*": 6_020 },
  "@continuum-cache/ratelimit/hono": { "*": 6_150 },
  "@continuum-cache/transport-memory": { "*": 27_300 },
  "@continuum-cache/transport-memory/kit": { "*": 25_100 },
  "@continuum-cache/transport-rest": { "*": 36_020 },
  "@continuum-cache/transport-rest/plain": { "*": 16_050 },
  "@continuum-cache/transport-tcp": { "*": 78_800 },
  "@continuum-cache/upstash-local": { "*": 114_690 },
  "continuum-cache": { "*": 200_140, UpstashCache: 128_960 },
  "continuum-cache/rest": { "*": 35_060, UpstashCache: 33_510 },
};

/** The most of it that may be loaded before anything is used, where some of it is loaded later. */
export const budgetsAtOnce: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/core": { "*": 27_830, Cache: 21_630 },
  "@continuum-cache/federation-queue": { "*": 62_300 },
  "@continuum-cache/pubsub": { "*": 19_800 },
  "continuum-cache": { "*": 124_760, UpstashCache: 55_580 },
  "continuum-cache/rest": { "*": 36_860, UpstashCache: 35_280 },
  "@continuum-cache/transport-tcp": { "*": 79_880 },
  "@continuum-cache/upstash-local": { "*": 115_710 },
};

/** They need sockets or processes, so they are bundled for Node; all others as for a Worker. */
export const nodeOnly: ReadonlySet<string> = new Set([
  "@continuum-cache/conformance",
  "@continuum-cache/conformance/servers",
  "@continuum-cache/fallback-memory/file-journal",
  "@continuum-cache/journal-file",
  "@continuum-cache/transport-tcp",
  "@continuum-cache/upstash-local",
]);
