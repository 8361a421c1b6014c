import type { Codec, Duration } from "@continuum-cache/core";
import type { LogCallOptions, OutboxOptions } from "../shared/options.ts";
import type { LogGap } from "./types.ts";

/** How a SyncLog works. A bare number for a time is seconds. */
export interface SyncLogOptions {
  /** The name of this instance, which no other may have at the same time: its events are numbered under it. */
  readonly instanceId: string;
  /**
   * How long events are kept. The origin trims its own stream, with appends and while it is quiet; what an origin that is gone
   * has left, its readers trim. All processes of a log should agree on it.
   *
   * @default "24h"
   */
  readonly retention?: Duration;
  /** What the names of its keys begin with, and its channel. @default "fed:sync:events" */
  readonly key?: string;
  /**
   * How long the name is held without a sign of life: after a crash the next process waits that long, its appends as
   * `pending`. It is prolonged by appends, and every half of it while nothing is appended, which costs 5 commands.
   *
   * @default "30s"
   */
  readonly lease?: Duration;
  /** What may wait in this process while Redis is away. @default { maxMessages: 10_000, maxBytes: 8 MiB } */
  readonly outbox?: OutboxOptions;
  /**
   * How many accepted events are remembered, to be repeated should a failover have lost them, in 8 MiB at most. 0: none, so
   * that whatever a failover loses is a gap for those who had not read it.
   *
   * @default 10_000
   */
  readonly repair?: number;
  /** How often a reader looks by itself, should a ring of the doorbell have been lost. @default "30s" */
  readonly pollInterval?: Duration;
  /** How events are written. Of a list the first writes and all read; JSON is always read. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /** How long a call may take when it does not say so itself. @default "5s" */
  readonly timeout?: Duration;
  /** Larger events are refused, in bytes as they travel. @default 1_048_576 (1 MiB) */
  readonly maxEventBytes?: number;
}

/** What an append may ask for. */
export interface AppendOptions extends LogCallOptions {
  /** `false`: it rejects when Redis does not answer in time or the name is another's, instead of waiting here. @default true */
  readonly fallback?: boolean;
}

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
