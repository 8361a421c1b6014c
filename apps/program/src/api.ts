import type { QueueStats } from "@continuum-cache/federation-queue";
import type { Backend, CacheStats, ServerInfo } from "continuum-cache";
import type { RecentSearch, Session } from "./sessions.ts";
import type { Seen } from "./watch/watch.ts";
import type { Memory } from "./wordnet/memory.ts";
import type { SearchResult } from "./wordnet/search-result.ts";

/** How an answer came about. The routes send these types, and the page reads them. */
export interface Outcome {
  readonly cache: "hit" | "miss";
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** The body of every response that is not a success. */
export interface ErrorAnswer {
  readonly error: string;
}

/** GET /api/search */
export interface SearchAnswer extends RecentSearch {
  /** The best first. */
  readonly results: readonly SearchResult[];
  readonly backend: Backend;
}

/** GET /api/memories/:conceptId */
export interface MemoryAnswer extends Outcome {
  readonly memory: Memory;
  readonly backend: Backend;
}

/** GET /api/session */
export interface SessionAnswer extends Outcome {
  readonly session: Session;
  /** Where the session's own events are published. */
  readonly channel: string;
  readonly backend: Backend;
}

/** POST /api/invalidate */
export interface InvalidateAnswer {
  readonly pattern: string;
  readonly deleted: number;
  readonly backend: Backend;
}

/** PUT /api/primary */
export interface PrimaryAnswer {
  readonly isCut: boolean;
}

type ShownStats = "hits" | "misses" | "hitRate" | "errors" | "commands" | "trips" | "latency";

/** GET /api/stats: each field that visitors may see. */
export interface StatsAnswer {
  readonly backend: Backend;
  /** Where the cache keeps its values now, in words for people. */
  readonly place: string;
  /** Writes that the primary has not confirmed yet. */
  readonly pending: number;
  readonly stats: Pick<CacheStats, ShownStats>;
  /** `null` while the primary answers. */
  readonly outage: NonNullable<CacheStats["outage"]> | null;
  /** `null` while the server does not answer, as `queue` is. */
  readonly info: Pick<ServerInfo, "keys"> | null;
  readonly queue: Pick<QueueStats, "depth" | "delayed" | "inFlight" | "dead" | "pending"> | null;
  readonly watch: Seen;
  /** `null` where the server is not the demo's own. */
  readonly primary: PrimaryAnswer | null;
  readonly knowledge: { readonly concepts: number; readonly terms: number };
}
