import type { Duration } from "@continuum-cache/core";

/** What a `nack` may say. */
export interface NackOptions {
  /** How long the message waits before it is given out again. @default the queue's `backoff` */
  readonly delay?: Duration;
  /** Why, for the dead letters; at most 500 characters are kept. */
  readonly reason?: string;
}

/**
 * A message that is this process's alone until its lease ends. Each method rejects with a `LeaseLostError` when the lease
 * is no longer held: somebody else has the message then, or has done it.
 */
export interface Lease<Event = unknown> {
  /** The message's id: the one it was pushed with. */
  readonly id: string;
  readonly event: Event;
  readonly priority: string;
  /** 1 for the first time; each failure of a handler (`nack`) makes it one more. */
  readonly attempt: number;
  /** How often a lease of this message ended without a word: its process died, or was too slow. */
  readonly crashes: number;
  readonly pushedAt: Date;
  /** When the lease ends, by this process's clock, unless it is extended. */
  readonly expiresAt: Date;
  /** Aborted when the lease is known to be lost. */
  readonly signal: AbortSignal;
  /** The message is done, and gone. Acks of one tick travel together. */
  ack(): Promise<void>;
  /** The message has failed: it is given out again after a while, or is dead after `maxAttempts`. */
  nack(options?: NackOptions): Promise<void>;
  /** Gives the message back as if it had never been given out. */
  release(): Promise<void>;
  /** The lease ends so much later than now. @default the queue's `visibilityTimeout`, which is also the most */
  extend(duration?: Duration): Promise<void>;
}

/** Does the work of one message. Returning acks it, throwing nacks it, unless the handler has done so itself. */
export type Handler<Event> = (event: Event, lease: Lease<Event>) => unknown;

/** How a worker works. */
export interface ConsumeOptions {
  /** How many messages are worked on at once. @default 1 */
  readonly concurrency?: number;
  /** Leases are extended while the handler works, for so long at most. @default "1h" */
  readonly maxDuration?: Duration;
  /** Ends the worker, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/** What a stop may ask for. */
export interface StopOptions {
  /** How long handlers may go on; what is unfinished by then is given back. @default "30s" */
  readonly timeout?: Duration;
}

/** A running `consume`. */
export interface Worker extends AsyncDisposable {
  /** How many messages are being worked on. */
  readonly running: number;
  /** Takes no more messages, waits for the handlers, and gives back what was not begun or not finished. Safe to call twice. */
  stop(options?: StopOptions): Promise<void>;
}

/** Why a message is dead. */
export type DeathReason = "failed" | "crashed" | "expired" | "unreadable";

/** A message that was given up. It is kept for `retention`, to be looked at or pushed again (`redrive`). */
export interface DeadLetter<Event = unknown> {
  readonly id: string;
  /** Undefined where it can't be read. */
  readonly event: Event | undefined;
  readonly priority: string;
  /** Failures of its handler (`maxAttempts`), processes that died with it (`maxCrashes`), its age, or its text. */
  readonly reason: DeathReason;
  /**
   * Why it failed last: the message of the error that its handler threw, the `reason` of its `nack`, or what the codec could
   * not read; at most 500 characters.
   */
  readonly detail?: string;
  readonly failures: number;
  readonly crashes: number;
  readonly pushedAt: Date;
  readonly diedAt: Date;
}

/** How one priority stands. */
export interface PriorityStats {
  /** Messages that wait to be given out. After a restart of Redis it may count some that are done, until they are swept. */
  readonly depth: number;
  /** Messages that are given out and not done. */
  readonly inFlight: number;
  /** How long the oldest message that is not done has been there, in milliseconds; 0 when there is none. */
  readonly oldestAgeMs: number;
}

/** How a queue stands. */
export interface QueueStats extends PriorityStats {
  readonly priorities: Readonly<Record<string, PriorityStats>>;
  /** Messages that are to be given out again, before all others: `depth`, `inFlight` and age as for a priority. */
  readonly again: PriorityStats;
  /** Messages whose time has not come. */
  readonly delayed: number;
  readonly dead: number;
  /** Pushes that wait in this process for Redis to be back. */
  readonly pending: number;
}

/** What a queue tells its listeners. No event ever holds a message's content. */
export interface QueueEvents {
  /** Something went wrong that no caller was told of; `id`: with this message. */
  error: { readonly operation: string; readonly error: Error; readonly id?: string };
  /**
   * A handler of `consume` threw, or its promise rejected, in this attempt (from 1). The message is given out again after
   * `backoff`, or is dead after `maxAttempts`, unless the handler has settled its lease itself.
   */
  failed: { readonly id: string; readonly attempt: number; readonly error: Error };
  /** A message was given up by this process. */
  dead: { readonly id: string; readonly reason: DeathReason };
  /** Messages were given out again whose leases had ended. */
  recovered: { readonly count: number };
  /** A push waits in this process until Redis is back. */
  kept: { readonly id: string; readonly pending: number };
  /** A failover had lost pushes that Redis had accepted; they were pushed again. */
  repaired: { readonly count: number };
}
