import type { Codec, Duration } from "@continuum-cache/core";
import type { LogCallOptions, OutboxOptions } from "../shared/options.ts";

/** How a SyncLog works. A bare number for a time is seconds. */
export interface SyncLogOptions {
  /** The name of this instance. Its events are numbered under it, so no other process may have it at the same time. */
  readonly instanceId: string;
  /**
   * How long events are kept. The origin trims its own stream, with appends and while it is quiet. Readers trim the
   * stream of an origin that is gone. All processes of a log should agree on it.
   *
   * @default "24h"
   */
  readonly retention?: Duration;
  /** The prefix of the log's keys, and its channel. @default "fed:sync:events" */
  readonly key?: string;
  /**
   * How long the name stays taken without a sign of life: after a crash the next process waits so long, its appends as
   * `pending`. Appends renew the lease; while there are none, a renewal of 5 commands follows each half of it.
   *
   * @default "30s"
   */
  readonly lease?: Duration;
  /** What may wait in this process while Redis is away. @default { maxMessages: 10_000, maxBytes: 8 MiB } */
  readonly outbox?: OutboxOptions;
  /**
   * How many accepted events this process remembers, in 8 MiB at most, to append them again after a failover that lost
   * them. With 0 every lost event is a gap for the readers that had not read it.
   *
   * @default 10_000
   */
  readonly repair?: number;
  /** How often a reader polls, in case a notification was lost. @default "30s" */
  readonly pollInterval?: Duration;
  /** The codec of events. Of a list the first encodes and all decode; JSON is always decoded. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /** How long a call may take when it does not say so itself. @default "5s" */
  readonly timeout?: Duration;
  /** Larger events are rejected, in bytes as they travel. @default 1_048_576 (1 MiB) */
  readonly maxEventBytes?: number;
}

/** The options of an append. */
export interface AppendOptions extends LogCallOptions {
  /**
   * `false`: the append rejects when Redis does not reply in time or another process holds the name, instead of waiting
   * in this process. @default true
   */
  readonly fallback?: boolean;
}

/** How a log is followed. */
export interface FollowOptions {
  /** Ends the loop. */
  readonly signal?: AbortSignal;
  /**
   * Where a reader begins that has never committed anything: with all events that are kept, or behind them.
   * @default "beginning"
   */
  readonly from?: "beginning" | "now";
  /** How many events are read at once, of each origin. @default 100 */
  readonly batch?: number;
  /**
   * Called and awaited for each gap, before the first event behind it, also when there is none yet: load anew here what
   * the missed events would have changed. A gap counts as handled when this resolves. When it rejects, `follow` rejects
   * with its error, and the next `follow` reports the gap again. A gap behind uncommitted events may be reported again
   * after a restart, with those events.
   */
  readonly resync?: (gap: LogGap) => unknown;
}

/** The place of an event in the order of its origin, which has no hole. */
export interface LogPosition {
  /** The instance that appended it. */
  readonly origin: string;
  /** 1 for the first event of the origin, and one more for each after it. */
  readonly seq: number;
  /** Its time by a hybrid logical clock, in milliseconds since 1970: never before an event that its origin had seen. */
  readonly atMs: number;
}

/** One event as a reader gets it. */
export interface LogEntry<Event = unknown> extends LogPosition {
  readonly event: Event;
  /**
   * Marks this event, and those before it from the same origin, as applied: a later `follow` begins behind it, also in
   * another process once this resolves. While Redis is away it resolves after the log's `timeout`. The position is then
   * stored when Redis is back; if this process ends before, the event is delivered again.
   */
  commit(): Promise<void>;
}

/** An event that Redis has accepted. */
export interface Stored extends LogPosition {
  readonly pending?: undefined;
}

/** Redis is away, or another process holds the name: the event waits in this process, and is lost with it. */
export interface Kept {
  readonly origin: string;
  /** Its time if the log has no later event, in milliseconds since 1970. It gets its number when it is stored. */
  readonly atMs: number;
  readonly pending: true;
}

/** The result of an append: `pending` says which. */
export type Appended = Stored | Kept;

/** Why a reader did not get events. */
export type GapReason =
  /** They are older than `retention`, or the server has lost them. */
  | "retention"
  /** The history that this reader knew is gone (a flush, a failover) and another has begun: their number is unknown. */
  | "reset"
  /** None of this log's codecs could decode an event. */
  | "unreadable";

/** Events that this reader never gets. */
export interface LogGap {
  readonly origin: string;
  /** Exactly how many; 0 after a reset, when the number is unknown. */
  readonly missed: number;
  /** The first and the last of them; after a reset the next event is `fromSeq`, and `toSeq` is one before. */
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: GapReason;
}

/** The state of a log. */
export interface LogStats {
  /** Appends that wait in this process. */
  readonly pending: number;
  /** Whether this process holds the name of its instance now, as far as it knows. */
  readonly isHolder: boolean;
  /** All origins, including this instance. */
  readonly origins: Readonly<Record<string, OriginStats>>;
}

/** The state of one origin's events. */
export interface OriginStats {
  /** How many events are kept. */
  readonly length: number;
  /** The number of its last event, kept or not; 0 when it has none. */
  readonly lastSeq: number;
  /** When that was, in milliseconds since 1970, by the origin's clock; 0 when there is none. */
  readonly lastAtMs: number;
  /** How many events this instance has not committed yet. 0 for its own. */
  readonly behind: number;
  /** Whether a process holds the name now. */
  readonly isHeld: boolean;
}

/** The events that a log emits. None of them holds a logged event's content. */
export interface LogEvents {
  /** An error that no caller gets. */
  error: { readonly operation: string; readonly error: Error };
  /** Events were missed, how many, and why. */
  gap: LogGap;
  /** An append waits in this process until Redis is back, or until the name is free. */
  kept: { readonly pending: number };
  /**
   * A failover had lost accepted events, and they were appended again. `lost`: those that this process had forgotten.
   */
  repaired: { readonly count: number; readonly lost: number };
  /** The history of an origin was lost (a flush, a failover without its end) and its process could not repair it. */
  reset: { readonly origin: string };
}
