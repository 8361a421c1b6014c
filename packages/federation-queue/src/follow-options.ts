import type { LogGap } from "./log-entry.ts";

/** How a log is followed. */
export interface FollowOptions {
  /** Ends the loop. */
  readonly signal?: AbortSignal;
  /**
   * Where a reader begins that has never committed anything: with all that is kept, or behind it.
   * @default "beginning"
   */
  readonly from?: "beginning" | "now";
  /** How many events are fetched at once, of each origin. @default 100 */
  readonly batch?: number;
  /**
   * Called, and awaited, before the first event behind a gap is given, also when there is none yet: the place to load anew
   * what the missed events would have changed. A gap counts as told when it resolves; when it rejects, `follow` rejects with
   * its error, and the next one tells the gap again. One that began behind events that were not committed may be told again
   * after a restart, with them.
   */
  readonly resync?: (gap: LogGap) => unknown;
}
