import type { LogGap } from "../log/types.ts";

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
