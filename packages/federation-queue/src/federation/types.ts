import type { Duration } from "@continuum-cache/core";
import type { LogGap } from "../log/types.ts";

/** How caches are federated. All instances of a federation should agree on these. A bare number for a time is seconds. */
export interface FederateOptions {
  /**
   * Which keys are shared, as globs such as `"memory:*"`, without the cache's `keyPrefix`: the others are this instance's
   * own. After a gap all that matches is deleted here. A pattern that is deleted is narrowed to it where both are a beginning
   * and a star, and applied as it is where it merely overlaps.
   */
  readonly scope: string | readonly string[];
  /**
   * Whether values travel too: then a `set` here is a `set` everywhere, and of two writes of a key the later wins in all
   * regions, by the clocks of their servers. What is set while Redis is away is deleted everywhere when it is back. `false`:
   * deletes only. @default false
   */
  readonly values?: boolean;
  /**
   * With `values`: how long it is remembered when a key was written or deleted last, so that what was older and comes late
   * does not come back. No shorter than the log's own. @default "24h"
   */
  readonly retention?: Duration;
  /** With `values`: what the names begin with of the keys that tell when others were written. @default "fed:clock" */
  readonly clockPrefix?: string;
  /**
   * Where an instance begins whose name has never been here: with all that the log keeps, or behind it. What was in its
   * database by then may be older than what is passed over. @default "beginning"
   */
  readonly from?: "beginning" | "now";
  /** How long applying one change may take before it is tried again. @default "5s" */
  readonly timeout?: Duration;
}

/** What a federation tells whoever listens. No event ever holds a value. */
export interface FederationEvents {
  /** Something went wrong that no caller was told of. What can't be applied is tried again, and told once until it can. */
  error: { readonly operation: string; readonly error: Error };
  /** Changes of an origin were missed: all that is in scope was deleted here. */
  gap: LogGap;
  /**
   * Changes made here could not be told one by one: the log had no room for more, or a value could not be stored under a
   * certain time. The others will delete these keys, or everything in scope, as soon as they can be told.
   */
  owed: { readonly keys: number | "everything" };
  /** A change of another instance was applied here. */
  applied: { readonly origin: string; readonly seq: number };
}
