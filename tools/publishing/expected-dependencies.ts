/** What comes along with @upstash/redis, ioredis … : a new name in such a list is worth a look before a release. */
const core = ["@continuum-cache/core", "fflate"];
const rest = ["@upstash/redis", "uncrypto"];
const tcp = [
  "@ioredis/commands",
  "cluster-key-slot",
  "debug",
  "denque",
  "ioredis",
  "ms",
  "redis-errors",
  "standard-as-callback",
];

/** Everything that installing a package alone puts into node_modules besides itself, by the package's name. */
export const expectedDependencies: Readonly<Record<string, readonly string[]>> = {
  "@continuum-cache/conformance": [...core, "fast-check", "pure-rand"],
  "@continuum-cache/core": core.filter((name) => name !== "@continuum-cache/core"),
  "@continuum-cache/fallback-memory": [...core, "@continuum-cache/journal-file", "@continuum-cache/transport-memory"],
  "@continuum-cache/federation-queue": core,
  "@continuum-cache/journal-file": core,
  "@continuum-cache/near-cache": [...core, "lru-cache"],
  "@continuum-cache/pubsub": core,
  "@continuum-cache/ratelimit": core,
  "@continuum-cache/transport-memory": core,
  "@continuum-cache/transport-rest": [...core, ...rest],
  "@continuum-cache/transport-tcp": [...core, ...tcp],
  "@continuum-cache/upstash-local": [
    ...core,
    ...tcp,
    "@continuum-cache/fallback-memory",
    "@continuum-cache/journal-file",
    "@continuum-cache/transport-memory",
    "@continuum-cache/transport-tcp",
  ],
  "continuum-cache": [
    ...core,
    ...rest,
    ...tcp,
    "@continuum-cache/fallback-memory",
    "@continuum-cache/federation-queue",
    "@continuum-cache/journal-file",
    "@continuum-cache/near-cache",
    "@continuum-cache/pubsub",
    "@continuum-cache/ratelimit",
    "@continuum-cache/transport-memory",
    "@continuum-cache/transport-rest",
    "@continuum-cache/transport-tcp",
    "lru-cache",
  ],
};
