/** What users are promised, where it is said, and which tests prove it. */
export interface PromiseToUsers {
  readonly promise: string;
  /** The documents that say so. */
  readonly saidIn: readonly string[];
  /** Each selects tests by their file, or by file and title. */
  readonly proofs: readonly (RegExp | readonly [file: RegExp, title: RegExp])[];
}

/** The rows of docs/promises.md. Prefer whole files: a title may be worded anew. */
export const promises: readonly PromiseToUsers[] = [
  {
    promise: "A value comes back as it was, or is rejected with the path to what can't be stored.",
    saidIn: ["README.md", "packages/core/README.md"],
    proofs: [/core\/test\/codecs\/(json|msgpack|holdable-values|compressed)/, /continuum-cache\/test\/codecs/],
  },
  {
    promise: "A call settles by its deadline, whatever the server does.",
    saidIn: ["README.md", "ARCHITECTURE.md"],
    proofs: [
      /core\/test\/time\/with-deadline/,
      /core\/test\/cache\/deadlines/,
      /conformance\/src\/cases\/(deadlines|faults)/,
      /continuum-cache\/test\/fault-matrix/,
    ],
  },
  {
    promise: "Trips that touch the same key take effect in the order in which they were sent.",
    saidIn: ["ARCHITECTURE.md"],
    proofs: [
      /core\/test\/commands\/key-order/,
      /conformance\/src\/cases\/order/,
      /transport-rest\/test\/trip-order/,
      [/transport-tcp\/test\/pool/, /order/],
    ],
  },
  {
    promise: "A write that may have run is never repeated where it would count twice.",
    saidIn: ["ARCHITECTURE.md", "packages/transport-rest/README.md"],
    proofs: [
      [/core\/test\/resilience\/guarded/, /twice|repeat/],
      [/core\/test\/trips\/sent-trips/, /twice/],
      /transport-rest\/test\/closed-connections/,
      [/transport-tcp\/test/, /twice/],
    ],
  },
  {
    promise: "No hit of the near cache is older than its bound, whatever is lost, cut, frozen or delayed.",
    saidIn: ["packages/near-cache/README.md", "docs/near-cache.md"],
    proofs: [/near-cache\/test\/(near-model|near-cache|outages|histories)/, /histories\/test\/near/],
  },
  {
    promise: "A near cache costs no command while idle, and at most a hundredth of one a read beside the misses.",
    saidIn: ["packages/near-cache/README.md", "docs/near-cache.md"],
    proofs: [/near-cache\/test\/workload/, [/near-cache\/test\/outages/, /sends nothing/]],
  },
  {
    promise: "An outage loses, resurrects and miscounts nothing: accepted writes reach the primary afterwards.",
    saidIn: ["packages/fallback-memory/README.md", "packages/continuum-cache/README.md"],
    proofs: [
      /histories\/test\/cache\/histories/,
      /fallback-memory\/test\/(recovery-model|replay-of-everything|recovery-patterns)/,
      /fallback-memory\/test\/(streams|sorted-sets)-in-an-outage/,
    ],
  },
  {
    promise: "Recovery deletes only what a caller asked to delete, and never everything.",
    saidIn: ["packages/fallback-memory/README.md"],
    proofs: [[/fallback-memory\/test\/journal-bounds/, /what recovery deletes/]],
  },
  {
    promise: "The outage journal is bounded: it refuses further writes and keeps all that it has accepted.",
    saidIn: ["packages/fallback-memory/README.md"],
    proofs: [[/fallback-memory\/test\/journal-bounds/, /journal that is full|deletes/]],
  },
  {
    promise: "A journal file loses no resolved append when the process is killed, and never gives out wrong data.",
    saidIn: ["packages/journal-file/README.md"],
    proofs: [/journal-file\/test\/file-journal-(crash|damage|hostile|model)/],
  },
  {
    promise: "Memory is bounded: caches, known values, buffers of slow clients and made keys.",
    saidIn: ["packages/fallback-memory/README.md", "packages/pubsub/README.md"],
    proofs: [
      [/transport-memory\/test\/memory-transport/, /bound|maxBytes|holds/],
      /core\/test\/keys\/lru/,
      [/core\/test\/keys\/made-keys/, /bounded/],
      /pubsub\/test\/consuming\/consumer-buffer/,
      [/pubsub\/test\/websocket/, /bounded|patience|pile up|read/],
    ],
  },
  {
    promise: "The memory answers as Redis does, or says that it does not know the command.",
    saidIn: ["packages/transport-memory/README.md", "packages/fallback-memory/README.md"],
    proofs: [/transport-memory\/test\/same-as-redis/, /fallback-memory\/test\/unknown-here/, /\/two-faces/],
  },
  {
    promise: "No secret and no stored value is in an error, an event or a printed object.",
    saidIn: ["ARCHITECTURE.md"],
    proofs: [
      /continuum-cache\/test\/(secrets|printed-objects)/,
      /core\/test\/errors\/conceal/,
      [/core\/test\/(errors|settings)/, /secret|password|printed/],
      [/transport-(rest|tcp)\/test/, /neither the token|password/],
    ],
  },
  {
    promise: "Hostile input meets a typed error in bounded time and memory.",
    saidIn: ["ARCHITECTURE.md", "CONTRIBUTING.md"],
    proofs: [/\/test\/fuzz/, /core\/test\/codecs\/hostile-bytes/, /\/test\/hostile-/, /transport-tcp\/test\/reply-/],
  },
  {
    promise: "While Redis decides, no window ever holds more than the limit.",
    saidIn: ["packages/ratelimit/README.md"],
    proofs: [
      /ratelimit\/test\/simulation\/exact/,
      /ratelimit\/test\/model\/limit-model/,
      /ratelimit\/test\/algorithms\/models/,
      /histories\/test\/limiter/,
    ],
  },
  {
    promise: "In an outage limits hold by the process's share, and decisions do not wait for Redis again and again.",
    saidIn: ["packages/ratelimit/README.md"],
    proofs: [/ratelimit\/test\/(outage|budget)/, /ratelimit\/test\/simulation\/skewed-demand/],
  },
  {
    promise: "Pub/sub tells every interruption as a gap.",
    saidIn: ["packages/pubsub/README.md"],
    proofs: [/pubsub\/test\/interruptions/, /pubsub\/test\/history\/lost-end/, /histories\/test\/pubsub\/histories/],
  },
  {
    promise: "With replay each message comes once, in order, and a gap has the exact number of what is gone.",
    saidIn: ["packages/pubsub/README.md"],
    proofs: [/pubsub\/test\/(feeds|history)\/.*(replay-model|advance|begin)/, /pubsub\/test\/websocket\/no-loss/],
  },
  {
    promise: "A message of the queue is handled at least once, also when workers and servers die.",
    saidIn: ["packages/federation-queue/README.md"],
    proofs: [
      /federation-queue\/test\/queue\/(promises|processes|restarts|failover|outage)/,
      [/histories\/test\//, /every message of a queue/],
    ],
  },
  {
    promise: "A lost lease is fenced: its ack finds nothing, and says so.",
    saidIn: ["packages/federation-queue/README.md", "ARCHITECTURE.md"],
    proofs: [
      [/federation-queue\/test\/queue/, /lease/],
      [/federation-queue\/test\/log/, /fence/],
    ],
  },
  {
    promise: "A log gives every event to every other instance, in order, and counts exactly what is missing.",
    saidIn: ["packages/federation-queue/README.md"],
    proofs: [/federation-queue\/test\/log\/(sync-log|lost-history|chaos|reader-model|retention)/],
  },
  {
    promise: "A relay copies each event once, in order, under its own number.",
    saidIn: ["packages/federation-queue/README.md"],
    proofs: [/federation-queue\/test\/relay\/(relay|histories|killed)/],
  },
  {
    promise: "Federated caches come to the same, and to what the latest write says.",
    saidIn: ["packages/federation-queue/README.md"],
    proofs: [/federation-queue\/test\/federation/],
  },
  {
    promise: "A request that vanishes in a Worker holds up no other.",
    saidIn: ["packages/continuum-cache/README.md"],
    proofs: [/\/test\/abandoned/, /core\/test\/claims/],
  },
  {
    promise: "Calls of one tick share one round trip, and their gets one billed command.",
    saidIn: ["README.md"],
    proofs: [/core\/test\/cache\/tick/, /\/billing/],
  },
  {
    promise: "All backends pass the same suite.",
    saidIn: ["README.md", "ARCHITECTURE.md"],
    proofs: [/conformance\/src\/cases/, /conformance\/test\/wrong-transports/],
  },
  {
    promise: "Published packages install, type-check and load for a stranger, at the sizes that their READMEs state.",
    saidIn: ["RELEASING.md"],
    proofs: [/tools\/test\/(release|sizes|bundles|types)/],
  },
];
