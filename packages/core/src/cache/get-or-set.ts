import { isTransportError, TransportError } from "../errors/transport-error.ts";
import type { Events } from "../ports/events.ts";
import { type Duration, longestTimerMs, toTimeoutMs } from "../time/duration.ts";
import { withDeadline } from "../time/with-deadline.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";
import { type CacheCallOptions, toSendOptions } from "./call-options.ts";
import type { Calls } from "./calls.ts";
import type { Loads } from "./loads.ts";
import type { Requests } from "./requests.ts";
import type { TimeToLive } from "./time-to-live.ts";

/** How `getOrSet` reads, loads and stores. */
export interface GetOrSetOptions extends CacheCallOptions {
  /** How long the loaded value lives. @default its key family's, else the cache's `defaultTtl` */
  readonly ttl?: TimeToLive;
  /** How long the loader may take; then all who wait get a `TransportError` of kind `timeout`. @default "30s" */
  readonly loaderTimeout?: Duration;
}

/** Brings a value that the cache does not have. */
export type Loader = () => unknown;

export type GetOrSet = (key: string, loader: Loader, options: GetOrSetOptions) => Promise<unknown>;

/**
 * Read, else load and store, with one load per key however many callers wait. The load belongs to all of them: one
 * caller's signal or timeout ends only its own waiting.
 *
 * @param loadsOf - The loads that a caller may join: who insists on the primary must not be given a local value.
 */
export function createGetOrSet(
  requests: Requests,
  calls: Calls,
  loadsOf: (fallback: boolean) => Loads,
  fullKeyOf: (key: string) => string,
  events: Events<CacheEvents>,
  stats: StatsRecorder,
): GetOrSet {
  /** A cache that is away must not take its users along: what fails here is told, and the loader's value still comes. */
  const tolerate = async <Result>(
    key: string,
    insist: boolean,
    work: () => Promise<Result>,
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
    const { ttl, loaderTimeout = "30s", fallback = true, timeout, signal } = options;
    const loaderTimeoutMs = toTimeoutMs(loaderTimeout, "loaderTimeout");
    const ownTimeoutMs = timeout === undefined ? undefined : toTimeoutMs(timeout, "timeout");
    // Reading and storing get a third each of a caller's own time: an absent cache must leave the loader some.
    const thirdMs = ownTimeoutMs === undefined ? undefined : Math.max(1, Math.floor(ownTimeoutMs / 3));
    const shared = fallback ? { ...(thirdMs !== undefined && { timeoutMs: thirdMs }) } : { fallback };
    const request = requests.get(key);
    const load = () =>
      loadsOf(fallback).join(fullKeyOf(key), async (outdated) => {
        const found = await tolerate(key, !fallback, () => calls.read(request, shared));
        if (found !== undefined) return found;
        stats.count("loads");
        const loaded = await loadWithin(loaderTimeoutMs, loader);
        if (outdated() || loaded === undefined) return loaded;
        await tolerate(key, !fallback, async () => {
          await calls.one(requests.set(key, loaded, ttl === undefined ? {} : { ttl }), shared);
        });
        return loaded;
      });
    if (timeout === undefined && !signal) return load();
    // A signal alone sets no deadline: reading, loading and storing have each their own.
    return withDeadline("cache", { timeoutMs: longestTimerMs, ...toSendOptions(options) }, load);
  };
}

async function loadWithin(timeoutMs: number, loader: Loader): Promise<unknown> {
  try {
    return await withDeadline("loader", { timeoutMs }, async () => loader());
  } catch (error) {
    if (!isTransportError(error) || error.transport !== "loader") throw error;
    throw new TransportError("timeout", `The loader took longer than ${timeoutMs} ms (raise \`loaderTimeout\`)`, {
      transport: "loader",
    });
  }
}
