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
