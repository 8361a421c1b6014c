import type { BackendChange, Command, KeptWrite, Recovery, Reply, SendOptions } from "../ports/transport.ts";
import type { KnownOptions } from "../settings/options.ts";

/** What a cache tells whoever listens. No event ever holds a stored value. */
export interface CacheEvents {
  /** Something went wrong that no caller was told of: a value that can't be read, a load that could not be stored. */
  error: { readonly operation: string; readonly key?: string; readonly error: Error };
  /** A value was not stored because it is larger than `maxValueBytes`. */
  skipped: { readonly key: string; readonly bytes: number; readonly maxValueBytes: number };
  /** A call took longer than 500 ms. */
  slow: { readonly operation: string; readonly durationMs: number };
  /** Answers come from elsewhere now. */
  backend: BackendChange;
  /** Answers come from the primary again, and this is what became of what was written meanwhile. */
  recovered: { readonly reason: string } & Recovery;
  /** Writes were kept by this process alone; the primary is told when it is back. */
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
 * Told of what a call has written, once Redis has answered it: the commands as they were sent, reads among them, each with
 * its reply, and what the call had asked for. The call waits for the promise, and rejects when that does.
 *
 * A run of `deletePattern` is told trip by trip, from the first SCAN on, each with its `invalidates`. What `getOrSet` loads and stores is not told: it
 * is no write of a caller's.
 */
export type WriteObserver = (
  commands: readonly Command[],
  replies: readonly Reply[],
  options: SendOptions,
) => Promise<void>;
