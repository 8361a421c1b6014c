import type { NearStats } from "../ports/near-cache.ts";
import type { Backend, Outage } from "../ports/transport.ts";

/** How long calls took, in milliseconds: half of them no longer than `p50`, and so on. 0 before the first call. */
export interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What this process's cache has done since it was made. */
export interface CacheStats {
  /** Reads that found a value. */
  readonly hits: number;
  /** Reads that found none, or one that could not be read. */
  readonly misses: number;
  /** `hits / (hits + misses)`, 0 before the first read. */
  readonly hitRate: number;
  /** Calls that rejected, and failures that were only told by an `error` event. */
  readonly errors: number;
  /**
   * Redis commands sent, as Upstash bills them (a MGET is one, a pipeline of N is N). The memory of this process
   * bills nothing: there each `get` is a MGET of its own.
   */
  readonly commands: number;
  /**
   * How often commands were handed to the transport. Over a network each is a round trip, which all calls of a tick
   * share. The memory of this process answers a call without waiting for others, so there each call counts for
   * itself.
   */
  readonly trips: number;
  /** Values not stored because they were larger than `maxValueBytes`. */
  readonly skipped: number;
  /** Loaders run by `getOrSet`. */
  readonly loads: number;
  /** Of calls as their callers saw them, loaders not included. */
  readonly latency: LatencySummary;
  readonly backend: Backend;
  /** Mutations made while local that the primary has not confirmed yet. */
  readonly pending: number;
  /** Since when and why answers are local; `undefined` while the primary answers. */
  readonly outage: Outage | undefined;
  /** Of the near cache, whose hits count among `hits` too; `undefined` where there is none. */
  readonly near: NearStats | undefined;
}

/** What can be told by counting alone. */
export type Counts = Omit<CacheStats, "backend" | "pending" | "outage">;
