import { isTransportError, TransportError } from "../errors/transport-error.ts";
import type { SendOptions } from "../ports/transport.ts";
import type { KnownOptions } from "../settings/options.ts";
import { type Duration, toTimeoutMs } from "../time/duration.ts";
import { withDeadline } from "../time/with-deadline.ts";
import { type CacheCallOptions, knownCallOptions, toSendOptions } from "./call-options.ts";
import { type RunningLoad, runLoader } from "./load-cycle.ts";

/** How long the parts of a call that may load take at most, in milliseconds, and how it reads. */
export interface LoadTimes {
  readonly ownTimeoutMs: number | undefined;
  /** Reading and storing get a third each of a caller's own time: an absent cache must leave the loader some. */
  readonly thirdMs: number | undefined;
  readonly loaderTimeoutMs: number;
  readonly reading: SendOptions;
}

/** The options that say how long a call may take. */
export interface LoadTimeOptions extends CacheCallOptions {
  readonly loaderTimeout?: Duration;
}

/** The options that are served without the machinery of `freshness/`. */
export const plainOptions: KnownOptions<LoadTimeOptions & { readonly ttl?: unknown }> = {
  ...knownCallOptions,
  ttl: true,
  loaderTimeout: true,
};

/** @throws ConfigError when an option can't be. */
export function loadTimesOf({ loaderTimeout = "30s", ...options }: LoadTimeOptions): LoadTimes {
  const loaderTimeoutMs = toTimeoutMs(loaderTimeout, "loaderTimeout");
  const { timeoutMs: ownTimeoutMs, fallback = true } = toSendOptions(options);
  const thirdMs = ownTimeoutMs === undefined ? undefined : Math.max(1, Math.floor(ownTimeoutMs / 3));
  // Reads that have the cache's own time share an MGET with other reads.
  const reading = { ...(thirdMs !== undefined && { timeoutMs: thirdMs }), ...(!fallback && { fallback }) };
  return { ownTimeoutMs, thirdMs, loaderTimeoutMs, reading };
}

/** A claim is given up so long after the deadline of its work. */
export const graceMs = 100;

/**
 * What reading has left of the cache's time: half of it, or less, but enough for an answer. Nothing is written any more
 * when the call's time is over.
 */
export const timeToStore = (timeoutMs: number, readMs: number): number =>
  Math.ceil(Math.min(timeoutMs / 2, Math.max(timeoutMs / 10, timeoutMs - readMs)));

/** Calls a loader, and gives it up at its deadline: then its signal fires. @throws TransportError of kind `timeout`. */
export async function loadWithin(
  timeoutMs: number,
  load: RunningLoad,
  loader: (signal: AbortSignal) => unknown,
): Promise<unknown> {
  try {
    return await withDeadline("loader", { timeoutMs }, (signal) => runLoader(load, () => loader(signal)));
  } catch (error) {
    if (!isTransportError(error) || error.transport !== "loader") throw error;
    throw new TransportError("timeout", `The loader took longer than ${timeoutMs} ms (raise \`loaderTimeout\`)`, {
      transport: "loader",
    });
  }
}
