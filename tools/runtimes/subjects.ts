/** A row of the table: a package, and the test file that runs in every runtime. */
export interface Subject {
  readonly package: string;
  /** Packages of ours on which this one stands and whose suites its file runs too. */
  readonly alsoCovers?: readonly string[];
  /** The test file that vitest runs in Node, and each other runtime too. */
  readonly file: string;
  /** What the suite does, for readers of the table. */
  readonly covers: string;
  /** Needs a runtime that keeps sockets. */
  readonly needsSockets?: true;
}

/** The rows of the table. Another package is another row, and a test file. */
export const subjects: readonly Subject[] = [
  {
    package: "@continuum-cache/core",
    file: "packages/core/test/every-runtime.test.ts",
    covers: "keys, hashes, codecs to the byte, and `Cache` over memory and over REST",
  },
  {
    package: "@continuum-cache/transport-rest",
    file: "packages/transport-rest/test/every-runtime.long.test.ts",
    covers: "the conformance suites of transports and of subscriptions, with hanging servers and broken streams",
  },
  {
    package: "@continuum-cache/transport-tcp",
    file: "packages/transport-tcp/test/every-runtime.long.test.ts",
    covers: "the same over the Redis protocol, with a Redis that is frozen and killed",
    needsSockets: true,
  },
  {
    package: "@continuum-cache/fallback-memory",
    alsoCovers: ["@continuum-cache/transport-memory"],
    file: "packages/fallback-memory/test/every-runtime.test.ts",
    covers: "the same on memory, and a fallback through an outage of the REST server",
  },
  {
    package: "@continuum-cache/ratelimit",
    file: "packages/ratelimit/test/every-runtime.test.ts",
    covers: "all algorithms over REST and on memory, an outage, and the fetch middleware",
  },
  {
    package: "@continuum-cache/pubsub",
    file: "packages/pubsub/test/every-runtime.test.ts",
    covers: "streams, gaps and replay over REST's server-sent events, cut in between",
  },
  {
    package: "@continuum-cache/federation-queue",
    file: "packages/federation-queue/test/every-runtime.test.ts",
    covers: "the queue and the log over REST and on memory, an outage, and caches in two regions",
  },
  {
    package: "continuum-cache",
    alsoCovers: ["@continuum-cache/near-cache"],
    file: "packages/continuum-cache/test/every-runtime.test.ts",
    covers:
      "`UpstashCache` with its features over REST while the server dies and comes back; over the Redis protocol " +
      "where sockets are kept",
  },
];
