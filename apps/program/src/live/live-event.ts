import type { Position } from "@continuum-cache/pubsub";
import type { RecentSearch } from "../sessions.ts";

/** For every visitor: what happens to memories. No event says which visitor did it, or which words a search had. */
export const memoryUpdates = "ws:memory:updates";

/** For every visitor: that sessions begin and change. No event says which session, or what it holds. */
export const sessionEvents = "ws:session:events";

/** An event on `ws:memory:updates`. */
export type MemoryEvent =
  /** A visitor has opened a memory: `updated` when the cache loaded it, `read` when the cache held it. */
  | { readonly type: "memory_updated" | "memory_read"; readonly memory_id: string; readonly title: string }
  /** The best result of a search. */
  | { readonly type: "memory_found"; readonly memory_id: string; readonly title: string }
  | { readonly type: "cache_invalidated"; readonly pattern: string; readonly deleted: number };

/** An event on `ws:session:events`. */
export interface SessionEvent {
  readonly type: "session_started" | "session_updated";
}

/** An event on the session's own channel, for that session alone. */
export interface OwnEvent extends RecentSearch {
  readonly type: "search_remembered";
}

export type LiveEvent = MemoryEvent | SessionEvent | OwnEvent;

/** An event as the bridge sends it to a page. */
export interface EventFrame {
  readonly type: "message";
  readonly channel: string;
  /** `timestamp`: when it was published, in seconds since 1970. */
  readonly data: LiveEvent & { readonly timestamp: number };
  readonly position?: Position;
  /** Only the pages of this server get it: Redis is away. */
  readonly degraded?: true;
}
