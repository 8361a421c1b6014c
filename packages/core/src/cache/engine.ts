import type { Codec } from "../codecs/codec.ts";
import { combineCodecs } from "../codecs/json.ts";
import { mayMatchGlob } from "../keys/glob-text.ts";
import { createEvents, type Events } from "../ports/events.ts";
import type { KeepRead, NearStore } from "../ports/near-cache.ts";
import type { BackendStatus, SendOptions, Transport } from "../ports/transport.ts";
import { loadedOnce } from "../time/loaded-once.ts";
import { answerSyncOf } from "../trips/round-trip.ts";
import type { AcrossProcesses } from "./across-processes.ts";
import type { Batcher } from "./batched-call.ts";
import { createBatcher } from "./batcher.ts";
import { type CacheEvents, knownEvents, type WriteObserver } from "./cache-events.ts";
import { type CacheOptions, readCacheOptions } from "./cache-options.ts";
import { type Calls, type CallsParts, createCalls, createStats, type StatsRecorder } from "./calls.ts";
import { decodedOnce } from "./decoded-once.ts";
import { createGetOrSet, type GetOrSet } from "./get-or-set.ts";
import { lateOpening } from "./late-opening.ts";
import { loadFeatures } from "./load-features.ts";
import { createLoads, type Loads } from "./loads.ts";
import { coveredRequests, namespacePrefix } from "./namespace.ts";
import { createRequests, createValues, type Requests } from "./requests.ts";
import { createTagging, type Tagging } from "./tagging.ts";
import { createTtlChoice } from "./time-to-live.ts";
import { useTransport } from "./transport-use.ts";
import type { Values } from "./values.ts";

/** What a cache is put together from; all views of it share one. */
export interface Engine {
  readonly transport: Transport;
  readonly keyPrefix: string;
  /** How long a call may take that does not say so itself. */
  readonly timeoutMs: number;
  readonly codec: Codec;
  readonly events: Events<CacheEvents>;
  readonly stats: StatsRecorder;
  readonly requests: Requests;
  readonly values: Values;
  readonly calls: Calls;
  readonly tagging: Tagging;
  /** The tags of the namespaces around it, the innermost last; none in a cache itself. */
  readonly namespaces: readonly string[];
  /** The same engine for the keys of a namespace inside it. @throws ConfigError when the name can't be. */
  namespace(name: string): Engine;
  readonly callsParts: CallsParts;
  readonly batcher: Batcher;
  /** Marks in-flight `getOrSet` loads as outdated whose full key may match: callers get the value, it is not stored. */
  outdate(glob: string): void;
  /** Reads one value. @param keep - Keeps it in the near cache. */
  read(key: string, asked: SendOptions, keep?: KeepRead): Promise<unknown>;
  readonly getOrSet: GetOrSet;
  /** The values held in this process; undefined without a near cache. */
  readonly near: NearStore | undefined;
  /** What processes do together; loaded at its first use. */
  readonly across: () => Promise<AcrossProcesses>;
  /** Waits for calls in flight, then gives back what the cache holds. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws ConfigError when an option is unknown or can't be. */
export function createEngine(options: CacheOptions): Engine {
  const settings = readCacheOptions(options);
  const { transport, codecs, keyPrefix, defaultTtlMs, patterns, maxValueBytes, timeoutMs } = settings;
  const events = createEvents(knownEvents);
  const stats = createStats((call) => events.emit("slow", call));
  // Over a network each reply is a text of its own.
  const codec = combineCodecs(answerSyncOf(transport) ? codecs.map(decodedOnce) : codecs);
  const ttlChoice = createTtlChoice(defaultTtlMs, patterns);
  const loads: Loads[] = [];
  /** Calls with `fallback: false` have loads of their own, so that they never join a load that read the local cache. */
  const createLoadsOf = (): ((fallback: boolean) => Loads) => {
    const shared = createLoads();
    const primaryOnly = createLoads();
    loads.push(shared, primaryOnly);
    return (fallback) => (fallback ? shared : primaryOnly);
  };
  const loadsOf = createLoadsOf();
  const readsOf = createLoadsOf();
  const use = useTransport(transport);
  const near = settings.near?.attach({
    transport,
    keyPrefix,
    timeoutMs,
    decode: (stored) => codec.decode(stored),
    countCommands(commands) {
      stats.counts.commands += commands;
    },
    read: (key, asked, keep) => root.read(key, asked, keep),
  });
  const batcher = createBatcher(transport, { timeoutMs, announce: near !== undefined, counts: stats.counts });
  const callsParts: CallsParts = {
    transport: transport.name,
    batcher,
    stats,
    use,
    onSend(commands) {
      // A load in flight must not overwrite this write later.
      for (const each of loads) each.written(commands);
      near?.written(commands);
    },
  };
  const calls = createCalls(callsParts);
  const common = { transport, timeoutMs, codec, events, stats, calls, callsParts, batcher };
  const loadTagged = loadedOnce(loadFeatures, ({ createTagged }) => createTagged({ ...common, patterns }));
  const stopWatching = watch(transport.status, events, stats);
  let closing: Promise<void> | undefined;

  const scopeOf = (prefix: string, namespaces: readonly string[], tagging: Tagging): Engine => {
    const isRequired = namespaces.length > 0;
    const opening = lateOpening({ tagging, namespaces });
    const values = createValues(codec, maxValueBytes, events, stats, opening, isRequired);
    const made = createRequests(prefix, values, stats, ttlChoice);
    const requests = isRequired ? coveredRequests(made) : made;
    const across = loadedOnce(loadFeatures, ({ createAcrossProcesses }) =>
      createAcrossProcesses({ ...common, fullKeyOf: requests.fullKeyOf, near }),
    );
    // What a namespace holds has tags, which a near cache does not look at.
    const nearHere = isRequired ? undefined : near;
    const parts = { ...common, across, keyPrefix: prefix, namespaces, values, requests, tagging, near: nearHere };
    const engine: Engine = {
      ...parts,
      namespace(name) {
        const inner = namespacePrefix(prefix, name, isRequired);
        const own = createTagging({ load: tagging.load, patterns, isNamespace: true });
        return scopeOf(inner, [...namespaces, inner], own);
      },
      outdate(glob) {
        for (const each of loads) each.writtenWhere(mayMatchGlob(glob));
        near?.writtenWhere(glob);
      },
      read(key, asked, keep) {
        if (tagging.reads(key)) {
          return tagging.load().then((tagged) => tagged.get(engine, key, asked, keep));
        }
        return calls.read((name) => (keep ? requests.getNear(name, keep) : requests.get(name)), key, asked);
      },
      getOrSet: createGetOrSet({ ...parts, loadsOf, readsOf, fullKeyOf: (key) => prefix + key }),
      close() {
        closing ??= batcher
          .settled()
          .then(() => use.end())
          // What is replayed last is announced too.
          .then(() => near?.close())
          // A last failure is still told.
          .then(stopWatching);
        return closing;
      },
    };
    return engine;
  };
  const root = scopeOf(keyPrefix, [], createTagging({ load: loadTagged, patterns, isNamespace: false }));
  return root;
}

/**
 * The same engine for calls that tell what they write. What `getOrSet` stores is not told: it is no write of a
 * caller's.
 */
export function observedEngine(engine: Engine, observer: WriteObserver): Engine {
  const calls = createCalls({ ...engine.callsParts, observer });
  return { ...engine, calls, namespace: (name) => observedEngine(engine.namespace(name), observer) };
}

/** Turns the reports of a transport about its backends into events. Returns the function that stops it. */
function watch(status: BackendStatus | undefined, events: Events<CacheEvents>, stats: StatsRecorder): () => void {
  const stops = [
    status?.onChange((change) => {
      events.emit("backend", change);
      if (change.to !== "upstash") return;
      events.emit("recovered", { replayed: 0, superseded: 0, dropped: 0, ...change.recovery, reason: change.reason });
    }),
    status?.onKept?.((kept) => events.emit("kept", kept)),
    status?.onFailure?.((failure) => {
      stats.counts.errors++;
      events.emit("error", failure);
    }),
  ];
  return () => {
    for (const stop of stops) stop?.();
  };
}
