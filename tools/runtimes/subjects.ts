/** A row of the table: a package, and the suite that tests it in every runtime. */
export interface Subject {
  readonly package: string;
  /** A file of `suites/`, without its ending. */
  readonly suite: string;
  /** What the suite does, for readers of the table. */
  readonly covers: string;
  /** Needs a runtime that keeps sockets. */
  readonly needsSockets?: true;
}

/** The rows of the table. Another package is another row, and a file of `suites/`. */
export const subjects: readonly Subject[] = [
  {
    package: "@continuum-cache/core",
    suite: "core",
    covers: "keys, hashes, codecs to the byte, and `Cache` over memory and over REST",
  },
  {
    package: "@continuum-cache/transport-rest",
    suite: "transport-rest",
    covers: "the conformance suites of transports and of subscriptions, with hanging servers and broken streams",
  },
  {
    package: "@continuum-cache/transport-tcp",
    suite: "transport-tcp",
    covers: "the same over the Redis protocol, with a Redis that is frozen and killed",
    needsSockets: true,
  },
  {
    package: "@continuum-cache/fallback-memory",
    suite: "fallback-memory",
    covers: "the same on memory, and a fallback through an outage of the REST server",
  },
  {
    package: "@continuum-cache/ratelimit",
    suite: "ratelimit",
    covers: "all algorithms over REST and on memory, an outage, and the fetch middleware",
  },
  {
    package: "@continuum-cache/pubsub",
    suite: "pubsub",
    covers: "streams, gaps and replay over REST's server-sent events, cut in between",
  },
  {
    package: "@continuum-cache/federation-queue",
    suite: "federation-queue",
    covers: "the queue and the log over REST and on memory, an outage, and caches in two regions",
  },
  {
    package: "continuum-cache",
    suite: "continuum-cache",
    covers:
      "`UpstashCache` over REST while the server dies and comes back; over the Redis protocol where sockets are kept",
  },
];
