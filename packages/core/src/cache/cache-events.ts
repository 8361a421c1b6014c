import type { BackendChange, Command, KeptWrite, Recovery, Reply, SendOptions } from "../ports/transport.ts";
import type { KnownOptions } from "../settings/options.ts";

/** The events of a cache. None of them holds a stored value. */
export interface CacheEvents {
  /**
   * A failure that no call has reported: a stored value that can't be read, a loaded value that could not be stored.
   */
  error: { readonly operation: string; readonly key?: string; readonly error: Error };
  /** A value was not stored because it is larger than `maxValueBytes`. */
  skipped: { readonly key: string; readonly bytes: number; readonly maxValueBytes: number };
  /** A call took longer than 500 ms. */
  slow: { readonly operation: string; readonly durationMs: number };
  /** The backend has changed. */
  backend: BackendChange;
  /** The primary answers again; the counts say what became of the writes made meanwhile. */
  recovered: { readonly reason: string } & Recovery;
  /** Writes were kept by this process only. They are replayed to the primary when it is back. */
  kept: KeptWrite;
}

export const knownEvents: KnownOptions<CacheEvents> = {
  error: true,
  skipped: true,
  slow: true,
  backend: true,
  recovered: true,
  kept: true,
};

/**
 * Called after Redis has answered a call that writes, with all commands of the call (reads too), their replies and the
 * call's options. The call waits for the promise, and rejects when it rejects.
 *
 * For `deletePattern` it is called once for each trip, from the first SCAN on, each with its `invalidates`. It is not
 * called for the values that `getOrSet` loads and stores: no caller has written them.
 */
export type WriteObserver = (
  commands: readonly Command[],
  replies: readonly Reply[],
  options: SendOptions,
) => Promise<void>;
