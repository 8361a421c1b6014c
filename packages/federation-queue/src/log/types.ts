import type { Codec, Duration } from "@continuum-cache/core";
import type { LogCallOptions } from "../shared/call-options.ts";
import type { OutboxOptions } from "../shared/outbox-options.ts";

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

/** Where an event stands: in the order of its origin, without a hole. */
export interface LogPosition {
  /** The instance that appended it. */
  readonly origin: string;
  /** 1 for the first event of the origin, and one more for each after it. */
  readonly seq: number;
  /** Its time by a hybrid logical clock, in milliseconds since 1970: never before anything its origin had seen. */
  readonly atMs: number;
}

/** One event as a reader gets it. */
export interface LogEntry<Event = unknown> extends LogPosition {
  readonly event: Event;
  /**
   * This event, and what came before it from the same origin, is applied: a later `follow` begins behind it, in another
   * process too once this resolves. While Redis is away it resolves when the log's `timeout` has passed: the position is
   * stored as soon as Redis is back, and lost with this process, so that the event would be given again.
   */
  commit(): Promise<void>;
}

/** An event that Redis has accepted. */
export interface Stored extends LogPosition {
  readonly pending?: undefined;
}

/** Redis is away, or the name is not this process's yet: the event waits in this process, and is lost with it. */
export interface Kept {
  readonly origin: string;
  /** Its time if nothing later is found in the log, in milliseconds since 1970. Its number comes when it is stored. */
  readonly atMs: number;
  readonly pending: true;
}

/** What became of an append: `pending` tells which. */
export type Appended = Stored | Kept;

/** Why events were not given to a reader. */
export type GapReason =
  /** They are older than what is kept, or were lost by the server. */
  | "retention"
  /** The history that this reader knew is gone (a flush, a failover), and another has begun: nobody knows how many. */
  | "reset"
  /** An event could not be decoded by the codecs that this log has. */
  | "unreadable";

/** Events that were never given to this reader. */
export interface LogGap {
  readonly origin: string;
  /** Exactly how many; 0 after a reset, where nobody can know. */
  readonly missed: number;
  /** The first and the last of them; after a reset the next event is `fromSeq`, and `toSeq` is one before. */
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: GapReason;
}

/** How a log stands. */
export interface LogStats {
  /** Appends that wait in this process. */
  readonly pending: number;
  /** Whether this process holds the name of its instance now, as far as it knows. */
  readonly isHolder: boolean;
  /** All origins there are, this instance's among them. */
  readonly origins: Readonly<Record<string, OriginStats>>;
}

/** How the events of one origin stand. */
export interface OriginStats {
  /** How many events are kept. */
  readonly length: number;
  /** The number of its last event, kept or not; 0: it has none. */
  readonly lastSeq: number;
  /** When that was, in milliseconds since 1970, by the origin's clock; 0: never. */
  readonly lastAtMs: number;
  /** How many events this instance has not committed yet. 0 for its own. */
  readonly behind: number;
  /** Whether a process holds the name now. */
  readonly isHeld: boolean;
}

/** What a log tells whoever listens. No event ever holds a logged event's content. */
export interface LogEvents {
  /** Something went wrong that no caller was told of. */
  error: { readonly operation: string; readonly error: Error };
  /** Events were missed, how many, and why. */
  gap: LogGap;
  /** An append waits in this process until Redis is back, or the name is free. */
  kept: { readonly pending: number };
  /** A failover had lost events that Redis had accepted; they were appended again. `lost`: no longer remembered here. */
  repaired: { readonly count: number; readonly lost: number };
  /** The history of an origin was lost (a flush, a failover without its end) and nobody could repair it. */
  reset: { readonly origin: string };
}
