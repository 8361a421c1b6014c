import { quoted } from "../errors/quoted.ts";
import { isTransportError, TransportError } from "../errors/transport-error.ts";
import type { Events } from "../ports/events.ts";
import type { SendOptions } from "../ports/transport.ts";
import { assertOptions, choiceOption, type KnownOptions } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { withDeadline } from "../time/with-deadline.ts";
import type { CacheEvents } from "./cache-events.ts";
import { type CacheCallOptions, knownCallOptions, toSendOptions } from "./call-options.ts";
import type { Calls, StatsRecorder } from "./calls.ts";
import type { Flight, FlightWait } from "./global-flight.ts";
import { type RunningLoad, runLoader } from "./load-cycle.ts";
import { type Loads, settled } from "./loads.ts";
import type { Requests } from "./requests.ts";
import type { TimeToLive } from "./time-to-live.ts";
import type { Copies } from "./values.ts";

/**
 * How `getOrSet` reads, loads and stores. A call has one deadline in all: its `timeout`, or, where it has none of its
 * own, the cache's `timeout` and `loaderTimeout` together.
 */
export interface GetOrSetOptions extends CacheCallOptions {
  /** How long the loaded value lives. @default its key family's, else the cache's `defaultTtl` */
  readonly ttl?: TimeToLive;
  /** How long the loader may take; then all calls that wait get a `TransportError` of kind `timeout`. @default "30s" */
  readonly loaderTimeout?: Duration;
  /**
   * `"global"`: of all processes one loads, and the others wait for what it stores; `"process"`: one in each process.
   * @default "process"
   */
  readonly singleFlight?: "global" | "process";
}

/** Brings a value that the cache does not have. */
export type Loader = () => unknown;

const known: KnownOptions<GetOrSetOptions> = {
  ...knownCallOptions,
  ttl: true,
  loaderTimeout: true,
  singleFlight: true,
};

/** @throws TypeError when there is no loader, ConfigError when an option is unknown. */
export function assertGetOrSet(loader: unknown, options: GetOrSetOptions | undefined): void {
  if (typeof loader !== "function") {
    throw new TypeError(`Expected a loader, a function that brings the value, got ${quoted(loader)}`);
  }
  if (options !== undefined) assertOptions("cache.getOrSet", options, known);
}

/** @returns the value where the transport answers without waiting, else a promise of it. */
export type GetOrSet = (key: string, loader: Loader, options?: GetOrSetOptions) => unknown;

/** What `getOrSet` is made of. */
export interface GetOrSetParts {
  readonly requests: Requests;
  readonly calls: Calls;
  /** The loads that a call may join: one that insists on the primary must not be given a local value. */
  readonly loadsOf: (fallback: boolean) => Loads;
  readonly fullKeyOf: (key: string) => string;
  /** The cache's own `timeout`. */
  readonly timeoutMs: number;
  readonly events: Events<CacheEvents>;
  readonly stats: StatsRecorder;
  /** For `singleFlight: "global"`: gets the right to load a key that was not found, or what another process stored. */
  beginFlight(fullKey: string, wait: FlightWait): Promise<Flight>;
}

/** How long the parts of a call may take, in milliseconds, and how it reads. */
interface Plan {
  readonly ownTimeoutMs: number | undefined;
  /** Reading and storing get a third each of a caller's own time: an absent cache must leave the loader some. */
  readonly thirdMs: number | undefined;
  readonly loaderTimeoutMs: number;
  readonly reading: SendOptions;
  readonly isGlobal: boolean;
}

/** @throws ConfigError when an option can't be. */
function planOf({ loaderTimeout = "30s", singleFlight = "process", ...options }: GetOrSetOptions): Plan {
  const isGlobal = choiceOption("singleFlight", singleFlight, ["global", "process"]) === "global";
  const loaderTimeoutMs = toTimeoutMs(loaderTimeout, "loaderTimeout");
  const { timeoutMs: ownTimeoutMs, fallback = true } = toSendOptions(options);
  const thirdMs = ownTimeoutMs === undefined ? undefined : Math.max(1, Math.floor(ownTimeoutMs / 3));
  // Reads that have the cache's own time share an MGET with other reads.
  const reading = { ...(thirdMs !== undefined && { timeoutMs: thirdMs }), ...(!fallback && { fallback }) };
  return { ownTimeoutMs, thirdMs, loaderTimeoutMs, reading, isGlobal };
}

const usualPlan: Plan = planOf({});

/** A claim is given up so long after the deadline of its work. */
const graceMs = 100;

/**
 * Read, else load and store, with one load per key however many callers wait. The load belongs to all of them: one
 * caller's signal or timeout ends only its own waiting.
 */
export function createGetOrSet(parts: GetOrSetParts): GetOrSet {
  const { requests, calls, loadsOf, fullKeyOf, events, stats } = parts;
  /** A failure of the cache emits an event and does not fail the call: the value of the loader is still returned. */
  const tolerate = async <Result>(
    key: string,
    insist: boolean,
    work: () => Result | Promise<Result>,
  ): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (insist && isTransportError(error)) throw error;
      events.emit("error", { operation: "getOrSet", key, error: error as Error });
      return undefined;
    }
  };

  return (key, loader, options) => {
    const { ownTimeoutMs, thirdMs, loaderTimeoutMs, reading, isGlobal } = options ? planOf(options) : usualPlan;
    const { ttl, signal, fallback = true } = options ?? {};
    const ttlMs = requests.ttlMsOf(key, ttl);
    const tripMs = thirdMs ?? parts.timeoutMs;
    const request = requests.getCopies(key);
    const fullKey = fullKeyOf(key);
    const now = signal || loadsOf(fallback).isRunning(fullKey) ? undefined : calls.readNow(request, reading);
    // A hit needs no load for others to join.
    if (now?.status === "fulfilled" && now.value) return now.value();

    const wholeMs = ownTimeoutMs ?? parts.timeoutMs + loaderTimeoutMs;
    // A load may first wait for another process.
    const longestRunMs = (isGlobal ? wholeMs : 0) + 2 * tripMs + loaderTimeoutMs + graceMs;

    /** All who wait share the load, but no object: what one caller changes no other sees. */
    const run = async (load: RunningLoad, outdated: () => boolean): Promise<Copies> => {
      const beganMs = performance.now();
      const read = () => (now ? settled(now) : calls.read(() => request, key, reading));
      const found = await tolerate(key, !fallback, read);
      if (found) return found;
      const flight = isGlobal
        ? await tolerate(key, true, () => parts.beginFlight(fullKey, { timeoutMs: wholeMs, sending: reading }))
        : undefined;
      const shared = flight?.kind === "found" ? requests.getCopies(key).read([flight.stored], 0) : undefined;
      if (shared) return shared;
      const lease = flight?.kind === "won" ? flight.lease : undefined;
      const storeMs = thirdMs ?? timeToStore(parts.timeoutMs, performance.now() - beganMs);
      stats.counts.loads++;
      let isStored = false;
      try {
        const loaded = await loadWithin(loaderTimeoutMs, load, loader);
        if (loaded === undefined) return () => undefined;
        const held = await tolerate(key, !fallback, () => requests.setCopies(key, loaded, ttlMs));
        if (!held) return () => loaded;
        // Nothing may come between this question and the write: what this process deletes from here on comes behind it.
        if (outdated()) return held.copies;
        isStored = true;
        const store = () => calls.one(() => [held.store(), { ...reading, timeoutMs: storeMs }]);
        await tolerate(key, !fallback, () => (lease ? lease.store(held.store().commands, store) : store()));
        return held.copies;
      } finally {
        if (!isStored) await lease?.release();
      }
    };

    const join = async (ending?: AbortSignal): Promise<unknown> => {
      const waiting = { timeoutMs: wholeMs, signal: ending, longestRunMs };
      const copies = (await loadsOf(fallback).join(fullKey, run, waiting)) as Copies;
      return copies();
    };
    if (ownTimeoutMs === undefined && !signal) return join();
    return withDeadline("cache", { timeoutMs: wholeMs, ...(signal && { signal }) }, join);
  };
}

/**
 * What reading has left of the cache's time: half of it, or less, but enough for an answer. Nothing is written any more
 * when the call's time is over.
 */
const timeToStore = (timeoutMs: number, readMs: number): number =>
  Math.ceil(Math.min(timeoutMs / 2, Math.max(timeoutMs / 10, timeoutMs - readMs)));

async function loadWithin(timeoutMs: number, load: RunningLoad, loader: Loader): Promise<unknown> {
  try {
    return await withDeadline("loader", { timeoutMs }, () => runLoader(load, loader));
  } catch (error) {
    if (!isTransportError(error) || error.transport !== "loader") throw error;
    throw new TransportError("timeout", `The loader took longer than ${timeoutMs} ms (raise \`loaderTimeout\`)`, {
      transport: "loader",
    });
  }
}
