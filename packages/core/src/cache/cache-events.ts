import type { BackendChange, KeptWrite, Recovery } from "../ports/transport.ts";
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
