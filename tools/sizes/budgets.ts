/**
 * The most that each public entry may cost who imports it: bytes of a minified, gzipped bundle, dependencies included.
 * `*` is everything it exports; a name is that export alone, the main use, where that is less. A limit is 5 % above
 * what was measured when it was set: a change that goes beyond it raises it here. `print-sizes.ts` prints what is
 * measured now.
 */
export const budgets: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/conformance": { "*": 86_110 },
  "@continuum-cache/conformance/servers": { "*": 4_390 },
  "@continuum-cache/core": { "*": 45_000, Cache: 39_200 },
  "@continuum-cache/core/compressed": { "*": 6_660, inflated: 4_130 },
  "@continuum-cache/core/idempotent": { "*": 4_300 },
  "@continuum-cache/core/kit": { "*": 23_200 },
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
  "@continuum-cache/transport-memory/kit": { "*": 26_500 },
  "@continuum-cache/transport-rest": { "*": 36_020 },
  "@continuum-cache/transport-rest/plain": { "*": 16_050 },
  "@continuum-cache/transport-tcp": { "*": 78_800 },
  "@continuum-cache/upstash-local": { "*": 114_690 },
  "continuum-cache": { "*": 217_000, UpstashCache: 146_800 },
  "continuum-cache/rest": { "*": 54_500, UpstashCache: 52_700 },
};

/** The most of it that may be loaded before anything is used, where some of it is loaded later. */
export const budgetsAtOnce: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "@continuum-cache/core": { "*": 28_800, Cache: 23_000 },
  "@continuum-cache/federation-queue": { "*": 62_300 },
  "@continuum-cache/pubsub": { "*": 22_300 },
  "continuum-cache": { "*": 130_500, UpstashCache: 60_000 },
  "continuum-cache/rest": { "*": 39_600, UpstashCache: 37_900 },
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
