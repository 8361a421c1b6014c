import type { RecentSearch } from "../sessions.ts";

/** Everybody's: what happens to memories. Nothing in it says whose doing it was, or which words were searched for. */
export const memoryUpdates = "ws:memory:updates";

/** Everybody's: that sessions begin and change. Nothing in it says whose, or what is in them. */
export const sessionEvents = "ws:session:events";

/** What is told on `ws:memory:updates`. */
export type MemoryEvent =
  /** A memory was opened: `updated` when that brought it into the cache, `read` when it was there. */
  | { readonly type: "memory_updated" | "memory_read"; readonly memory_id: string; readonly title: string }
  /** A search has found it before all others. */
  | { readonly type: "memory_found"; readonly memory_id: string; readonly title: string }
  | { readonly type: "cache_invalidated"; readonly pattern: string; readonly deleted: number };

/** What is told on `ws:session:events`. */
export interface SessionEvent {
  readonly type: "session_started" | "session_updated";
}

/** What is told on a session's own channel, to that session alone. */
export interface OwnEvent extends RecentSearch {
  readonly type: "search_remembered";
}
