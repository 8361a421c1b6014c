// Who may import whom. Imports run downward only: a package may import the packages in its row and nothing else of
// ours. `edge` packages must run in Workers: no Node built-in may be reached from them, except from the files in
// `nodeFiles`, which an `imports` condition keeps out of edge bundles. Packages of others in `inlined` are development
// dependencies that become a part of the bundle: where their many files take longer to load than their code.

/** @type {Record<string, { imports: string[], edge: boolean, nodeFiles?: string[], inlined?: string[] }>} */
export const layers = {
  "packages/core": { imports: [], edge: true, inlined: ["@msgpack/msgpack"] },
  "packages/conformance": { imports: ["packages/core"], edge: false },
  "packages/transport-rest": {
    imports: ["packages/core"],
    edge: true,
    nodeFiles: ["src/http/node-http.ts", "src/http/node/connection.ts", "src/http/node/node-stream.ts"],
  },
  "packages/transport-tcp": { imports: ["packages/core"], edge: false },
  "packages/transport-memory": { imports: ["packages/core"], edge: true },
  "packages/journal-file": { imports: ["packages/core"], edge: false },
  "packages/fallback-memory": {
    imports: ["packages/core", "packages/transport-memory", "packages/journal-file"],
    edge: true,
  },
  "packages/ratelimit": { imports: ["packages/core"], edge: true },
  "packages/pubsub": { imports: ["packages/core"], edge: true },
  "packages/federation-queue": { imports: ["packages/core"], edge: true },
  "packages/continuum-cache": {
    imports: [
      "packages/core",
      "packages/transport-rest",
      "packages/transport-tcp",
      "packages/fallback-memory",
      "packages/ratelimit",
      "packages/pubsub",
      "packages/federation-queue",
    ],
    edge: true,
    nodeFiles: ["src/tcp/tcp-backend.ts"],
  },
  "packages/upstash-local": {
    imports: ["packages/core", "packages/transport-tcp", "packages/transport-memory"],
    edge: false,
  },
  "internal/test-scale": { imports: [], edge: false },
  "internal/runtime-site": { imports: ["packages/conformance", "packages/upstash-local"], edge: false },
  "internal/fixtures": {
    imports: [
      "internal/test-scale",
      "packages/core",
      "packages/conformance",
      "packages/transport-rest",
      "packages/transport-tcp",
      "packages/transport-memory",
      "packages/upstash-local",
    ],
    edge: false,
  },
  "internal/histories": {
    imports: [
      "packages/core",
      "packages/conformance",
      "packages/transport-rest",
      "packages/transport-tcp",
      "packages/fallback-memory",
      "packages/upstash-local",
      "packages/ratelimit",
      "packages/pubsub",
      "packages/federation-queue",
      "packages/continuum-cache",
    ],
    edge: false,
  },
  "apps/bench": {
    imports: [
      "internal/histories",
      "packages/core",
      "packages/conformance",
      "packages/transport-rest",
      "packages/transport-tcp",
      "packages/transport-memory",
      "packages/fallback-memory",
      "packages/upstash-local",
      "packages/ratelimit",
      "packages/pubsub",
      "packages/federation-queue",
      "packages/continuum-cache",
    ],
    edge: false,
  },
  "apps/program": {
    imports: [
      "packages/core",
      "packages/continuum-cache",
      "packages/pubsub",
      "packages/ratelimit",
      "packages/federation-queue",
    ],
    edge: true,
  },
  "apps/node-server": {
    imports: ["apps/program", "packages/continuum-cache", "packages/pubsub", "packages/upstash-local"],
    edge: false,
  },
  "apps/edge-worker": { imports: ["apps/program", "packages/continuum-cache"], edge: true },
  "apps/lambda-function": { imports: ["apps/program", "packages/continuum-cache"], edge: false },
};

/**
 * Inside a package the folders are layers too. Each row names a folder, or a file beside them, and what it may import
 * besides itself; type imports count. A file of `src` that has no row stands above all rows: it may import any of them,
 * and no row may import it.
 *
 * @type {Record<string, Record<string, string[]>>}
 */
export const rooms = {
  "packages/core": {
    hash: [],
    text: [],
    errors: [],
    time: ["errors", "ports"],
    ports: ["errors", "settings"],
    settings: ["errors"],
    keys: ["errors", "hash", "settings", "text", "time"],
    codecs: ["errors", "settings", "text", "time"],
    messages: ["codecs", "text"],
    claims: ["time"],
    commands: ["claims", "errors", "keys", "ports"],
    scripts: ["errors", "hash", "ports", "settings", "time"],
    trips: ["commands", "errors", "keys", "ports"],
    resilience: ["claims", "commands", "errors", "ports", "settings", "time", "trips"],
    cache: ["claims", "codecs", "commands", "errors", "keys", "messages", "ports", "settings", "text", "time", "trips"],
  },
  "packages/transport-rest": {
    http: [],
    "rest-error": ["http"],
    "rest-options": ["http"],
    calls: ["rest-error"],
    request: ["calls", "http", "rest-error", "rest-options"],
    trip: ["calls", "request", "rest-error"],
    subscriptions: ["calls", "http", "request", "rest-error", "rest-options"],
  },
  "packages/transport-tcp": {
    "tcp-client": [],
    "tcp-error": [],
    "tcp-options": ["tcp-client"],
    protocol: ["tcp-client", "tcp-error"],
    trip: ["protocol", "tcp-client", "tcp-error"],
    connection: ["protocol", "tcp-client", "tcp-error", "trip"],
    subscriptions: ["protocol", "tcp-error"],
  },
  "packages/conformance": {
    expect: [],
    cases: ["expect"],
    suites: ["cases"],
    histories: ["expect"],
    random: [],
    servers: ["random"],
    fuzz: ["random"],
  },
  "packages/transport-memory": {
    values: [],
    numbers: ["values"],
    keyspace: ["values"],
    commands: ["keyspace", "numbers", "values"],
    replication: ["commands", "keyspace", "numbers", "values"],
  },
  "packages/fallback-memory": {
    known: [],
    journal: ["known"],
    fallback: ["journal", "known"],
    recovery: ["fallback", "journal", "known"],
  },
  "packages/ratelimit": {
    types: [],
    options: ["types"],
    errors: [],
    timing: [],
    algorithms: ["types"],
    limits: ["algorithms", "errors", "options", "timing", "types"],
    http: ["limits", "types"],
  },
  "packages/pubsub": {
    types: [],
    options: ["types"],
    settings: ["options", "types"],
    history: ["settings", "types"],
    hub: ["settings", "types"],
    feeds: ["history", "hub", "settings", "types"],
    publishing: ["history", "hub", "settings", "types"],
    consuming: ["feeds", "hub", "options", "settings", "types"],
    websocket: ["options", "types"],
  },
  "packages/upstash-local": {
    errors: [],
    protocol: ["errors"],
    limits: ["protocol"],
    options: ["limits"],
    settings: ["options"],
    request: ["errors", "limits", "protocol"],
    engine: ["errors", "limits", "options", "protocol", "request"],
    faults: ["protocol", "request"],
    http: ["engine", "errors", "faults", "limits", "protocol", "request"],
  },
  "packages/federation-queue": {
    shared: [],
    queue: ["shared"],
    log: ["shared"],
    relay: ["log", "shared"],
    federation: ["log", "shared"],
  },
};
