import type { Duration } from "@continuum-cache/core";
import type { LogGap } from "../log/types.ts";

/** How caches are federated. All instances should agree on these options. A bare number for a time is seconds. */
export interface FederateOptions {
  /**
   * Which keys are shared, as globs such as `"memory:*"` without the cache's `keyPrefix`; all other keys are this
   * instance's own. After a gap all keys in scope are deleted here. A deleted pattern is narrowed to the scope when
   * both are a prefix and a star. A pattern that merely overlaps with the scope is applied as it is.
   */
  readonly scope: string | readonly string[];
  /**
   * Whether values are shared too. With `true` a `set` here is a `set` everywhere, and of two writes of a key the later
   * wins in all regions, by the clocks of their servers. A key that is set while Redis is away is deleted everywhere
   * when it is back. `false`: only deletes are shared. @default false
   */
  readonly values?: boolean;
  /**
   * With `values`: how long the time of a key's last write is remembered, so that an older write which arrives late
   * does not bring its value back. No shorter than the log's own. @default "24h"
   */
  readonly retention?: Duration;
  /** With `values`: the prefix of the keys that hold the times of writes. @default "fed:clock" */
  readonly clockPrefix?: string;
  /**
   * Where an instance with a new name begins: with all events that the log keeps, or behind them. With `"now"` its
   * database may hold values that are older than the skipped changes. @default "beginning"
   */
  readonly from?: "beginning" | "now";
  /** How long applying one change may take before a retry. @default "5s" */
  readonly timeout?: Duration;
}

/** The events that a federation emits. None of them holds a value. */
export interface FederationEvents {
  /** An error that no caller gets. A change that cannot be applied is retried, and reported once until it can. */
  error: { readonly operation: string; readonly error: Error };
  /** Changes of an origin were missed: all keys in scope were deleted here. */
  gap: LogGap;
  /**
   * Changes made here could not be published one by one: the log had no room for more, or a value could not be stored
   * with a known time. The other instances will delete these keys, or everything in scope, when this can be published.
   */
  deferred: { readonly keys: number | "everything" };
  /** A change of another instance was applied here. */
  applied: { readonly origin: string; readonly seq: number };
}
