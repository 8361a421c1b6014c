import { isTransportError } from "../errors/transport-error.ts";
import { madeKeys } from "../keys/made-keys.ts";
import type { Events } from "../ports/events.ts";
import type { NearStore } from "../ports/near-cache.ts";
import { loadedOnce } from "../time/loaded-once.ts";
import { withDeadline } from "../time/with-deadline.ts";
import type { AcrossProcesses } from "./across-processes.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { CacheCallOptions } from "./call-options.ts";
import type { Calls, StatsRecorder } from "./calls.ts";
import type { FreshnessOptions } from "./freshness/freshness-options.ts";
import type { RunningLoad } from "./load-cycle.ts";
import { loadFeatures } from "./load-features.ts";
import { graceMs, type LoadTimes, loadTimesOf, loadWithin, plainOptions, timeToStore } from "./load-times.ts";
import { type Loads, settled } from "./loads.ts";
import { heldNear, nearFor } from "./near-use.ts";
import type { Requests } from "./requests.ts";
import type { Tagging } from "./tagging.ts";
import type { TimeToLive } from "./time-to-live.ts";
import type { Copies, Values } from "./values.ts";

/**
 * How `getOrSet` reads, loads and stores. A call has one deadline in all: its `timeout`, or, where it has none of its
 * own, the cache's `timeout` and `loaderTimeout` together.
 *
 * @typeParam T - What the loader brings.
 */
export interface GetOrSetOptions<T = unknown> extends CacheCallOptions, FreshnessOptions<T> {}

/** What a loader is called with. */
export interface LoaderContext {
  /** Fires when `loaderTimeout` is over: what the loader brings later is not used. */
  readonly signal: AbortSignal;
  /** A value that is no longer fresh, as it was stored, to ask a server whether it has changed; else `undefined`. */
  readonly stale: unknown;
  /** The key whose value is missing, without the cache's prefix. */
  readonly key: string;
}

/** Brings a value that the cache does not have. */
export type Loader = (context: LoaderContext) => unknown;

/** Brings the values of several keys: a Map, or a record. */
export type ManyLoader = (missing: string[], context: Pick<LoaderContext, "signal">) => unknown;

/** Reads, else loads and stores. */
export interface GetOrSet {
  /** @returns the value where the transport answers without waiting, else a promise of it. */
  (key: string, loader: Loader, options?: GetOrSetOptions): unknown;
  /** The same for several keys; the values come in their order. */
  many(keys: readonly string[], loader: ManyLoader, options: GetOrSetOptions): Promise<unknown[]>;
}

/** Does the work of a call on the cache, whose failure emits an event and does not fail the call. */
export type Tolerate = <Result>(
  key: string,
  insist: boolean,
  work: () => Result | Promise<Result>,
) => Promise<Result | undefined>;

/** What `getOrSet` is made of. */
export interface GetOrSetParts {
  readonly requests: Requests;
  readonly values: Values;
  readonly calls: Calls;
  /** The loads that a call may join: one that insists on the primary must not be given a local value. */
  readonly loadsOf: (fallback: boolean) => Loads;
  /** The reads under way, which a write of their key outdates; those of all namespaces are together. */
  readonly readsOf: (fallback: boolean) => Loads;
  readonly fullKeyOf: (key: string) => string;
  readonly tagging: Tagging;
  readonly keyPrefix: string;
  /** See `TagScope`. */
  readonly namespaces: readonly string[];
  /** The cache's own `timeout`. */
  readonly timeoutMs: number;
  readonly events: Events<CacheEvents>;
  readonly stats: StatsRecorder;
  /** Keeps what is read. */
  readonly near: NearStore | undefined;
  /** For `singleFlight: "global"`. */
  readonly across: () => Promise<AcrossProcesses>;
}

const usualTimes = loadTimesOf({});

/**
 * Read, else load and store, with one load per key however many callers wait. The load belongs to all of them: one
 * caller's signal or timeout ends only its own waiting.
 */
export function createGetOrSet(parts: GetOrSetParts): GetOrSet {
  const { requests, calls, loadsOf, fullKeyOf, tagging, events, stats, near } = parts;
  /** The value of the loader is still returned. Where the call insists on the primary, it rejects. */
  const tolerate: Tolerate = async (key, insist, work) => {
    try {
      return await work();
    } catch (error) {
      if (insist && isTransportError(error)) throw error;
      events.emit("error", { operation: "getOrSet", key, error: error as Error });
      return undefined;
    }
  };
  const freshness = loadedOnce(loadFeatures, ({ createFreshCalls }) => createFreshCalls(parts, tolerate));

  const wholeOf = ({ ownTimeoutMs, loaderTimeoutMs }: LoadTimes): number =>
    ownTimeoutMs ?? parts.timeoutMs + loaderTimeoutMs;
  /** Runs work within the deadline of a call. */
  const within = (
    times: LoadTimes,
    signal: AbortSignal | undefined,
    work: (ending?: AbortSignal) => Promise<unknown>,
  ): Promise<unknown> => {
    if (times.ownTimeoutMs === undefined && !signal) return work();
    return withDeadline("cache", { timeoutMs: wholeOf(times), ...(signal && { signal }) }, work);
  };

  const plain = (key: string, loader: Loader, options: GetOrSetOptions | undefined, times: LoadTimes): unknown => {
    const { thirdMs, loaderTimeoutMs, reading } = times;
    const { ttl, signal, fallback = true } = options ?? {};
    const ttlMs = requests.ttlMsOf(key, ttl as TimeToLive | undefined);
    const tripMs = thirdMs ?? parts.timeoutMs;
    const request = requests.getCopies(key, nearFor(near, options)?.begin(key));
    const fullKey = fullKeyOf(key);
    const now = signal || loadsOf(fallback).isRunning(fullKey) ? undefined : calls.readNow(request, reading);
    // A hit needs no load for others to join.
    // A value with tags is a promise until they are verified: the load below waits for it.
    if (now?.status === "fulfilled" && typeof now.value === "function") return now.value();

    let isOwn = false;
    /** All who wait share the load, but no object: what one caller changes no other sees. */
    const run = async (load: RunningLoad, outdated: () => boolean): Promise<Copies> => {
      const beganMs = performance.now();
      isOwn = true;
      const read = () => (now ? settled(now) : calls.read(() => request, key, reading));
      const found = await tolerate(key, !fallback, read);
      if (found) return found;
      const storeMs = thirdMs ?? timeToStore(parts.timeoutMs, performance.now() - beganMs);
      stats.counts.loads++;
      const loaded = await loadWithin(loaderTimeoutMs, load, (ending) =>
        loader({ signal: ending, stale: undefined, key }),
      );
      if (loaded === undefined) return () => undefined;
      const held = await tolerate(key, !fallback, () => requests.setCopies(key, loaded, ttlMs));
      if (!held) return () => loaded;
      // Nothing may come between this question and the write: what this process deletes from here on comes behind it.
      if (outdated()) return held.copies;
      await tolerate(key, !fallback, () => calls.one(() => [held.store(), { ...reading, timeoutMs: storeMs }]));
      return held.copies;
    };

    const wholeMs = wholeOf(times);
    const join = async (ending?: AbortSignal): Promise<unknown> => {
      const waiting = { timeoutMs: wholeMs, signal: ending, longestRunMs: 2 * tripMs + loaderTimeoutMs + graceMs };
      const copies = (await loadsOf(fallback).join(fullKey, run, waiting)) as Copies;
      // A call that has joined another's read verifies the tags for itself. Their code is loaded by now.
      if (!isOwn && tagging.calls?.isVerified(copies)) {
        return (await freshness()).getOrSet(key, loader, options ?? {});
      }
      return copies();
    };
    return within(times, signal, join);
  };
  const one = (key: string, loader: Loader, options?: GetOrSetOptions): unknown => {
    const needsMore = (tagging.isOn || madeKeys.needMore) && tagging.reads(key);
    if (needsMore || (options !== undefined && !isPlain(options))) {
      return freshness().then((fresh) => fresh.getOrSet(key, loader, options === undefined ? {} : options));
    }
    const times = options ? loadTimesOf(options) : usualTimes;
    const held = near && heldNear(near, key, options, times.reading);
    if (held === undefined) return plain(key, loader, options, times);
    if (!(held instanceof Promise)) return held;
    // A look takes its time from the call's.
    return within(times, options?.signal, async () => {
      const value = await held;
      return value === undefined ? plain(key, loader, options, times) : value;
    });
  };
  const many: GetOrSet["many"] = async (...given) => (await freshness()).getOrSetMany(...given);
  return Object.assign(one, { many });
}

/** Whether it has no other options; those that do not exist are found by `freshness/`. */
function isPlain(options: GetOrSetOptions): boolean {
  if (typeof options !== "object" || options === null) return false;
  for (const name in options) if (!(name in plainOptions)) return false;
  return typeof options.ttl !== "function";
}
