import type { Duration } from "@continuum-cache/core";

/** Options of `nack`. */
export interface NackOptions {
  /** How long the message waits before its next attempt. @default the queue's `backoff` */
  readonly delay?: Duration;
  /** The reason, for the dead letter; at most 500 characters are kept. */
  readonly reason?: string;
}

/**
 * A message that only this process works on until the lease ends. Each method rejects with a `LeaseLostError` when the
 * lease has ended: another worker has the message, or the message is done.
 */
export interface Lease<Event = unknown> {
  /** The message's id, as `push` returned it. */
  readonly id: string;
  readonly event: Event;
  readonly priority: string;
  /** 1 for the first attempt, plus one for each failure of a handler (`nack`). */
  readonly attempt: number;
  /** How many leases of this message expired: the process died, or the handler was too slow. */
  readonly crashes: number;
  readonly pushedAt: Date;
  /** When the lease expires, by this process's clock, unless it is extended. */
  readonly expiresAt: Date;
  /** Aborted when the lease is known to be lost. */
  readonly signal: AbortSignal;
  /** Marks the message as done. Acks of one tick share a round trip. */
  ack(): Promise<void>;
  /**
   * Marks the attempt as failed: the message is given out again after a delay, or is a dead letter after `maxAttempts`.
   */
  nack(options?: NackOptions): Promise<void>;
  /** Gives the message back, without counting an attempt. */
  release(): Promise<void>;
  /** Sets the remaining time of the lease. @default the queue's `visibilityTimeout`, which is also the most */
  extend(duration?: Duration): Promise<void>;
}

/**
 * Does the work of one message. Returning acks it, throwing nacks it, unless the handler has settled the lease itself.
 */
export type Handler<Event> = (event: Event, lease: Lease<Event>) => unknown;

/** Options of `consume`. */
export interface ConsumeOptions {
  /** How many handlers run at once. @default 1 */
  readonly concurrency?: number;
  /** How long leases are extended while the handler works. @default "1h" */
  readonly maxDuration?: Duration;
  /** Stops the worker, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/** Options of `Worker.stop`. */
export interface StopOptions {
  /** How long handlers may go on. Unfinished messages are released then. @default "30s" */
  readonly timeout?: Duration;
}

/** A running `consume`. */
export interface Worker extends AsyncDisposable {
  /** How many handlers are running. */
  readonly running: number;
  /** Takes no more messages, waits for the handlers, and releases all other messages. Safe to call twice. */
  stop(options?: StopOptions): Promise<void>;
}

/** Why a message became a dead letter. */
export type DeathReason = "failed" | "crashed" | "expired" | "unreadable";

/** A message that the queue gave up. It is kept for `retention`; `redrive` pushes it again. */
export interface DeadLetter<Event = unknown> {
  readonly id: string;
  /** Undefined if no codec can decode it. */
  readonly event: Event | undefined;
  readonly priority: string;
  /**
   * Too many failures (`maxAttempts`), too many expired leases (`maxCrashes`), its age, or an event that can't be
   * decoded.
   */
  readonly reason: DeathReason;
  /**
   * The last failure: the message of the handler's error, the `reason` of its `nack`, or the codec's error; at most 500
   * characters.
   */
  readonly detail?: string;
  readonly failures: number;
  readonly crashes: number;
  readonly pushedAt: Date;
  readonly diedAt: Date;
}

/** The state of one stream. */
export interface PriorityStats {
  /** Messages that wait for a worker. After a restart of Redis it may include done messages until they are deleted. */
  readonly depth: number;
  /** Messages that are leased. */
  readonly inFlight: number;
  /** The age of the oldest message that is not done, in milliseconds; 0 if there is none. */
  readonly oldestAgeMs: number;
}

/** The state of a queue. */
export interface QueueStats extends PriorityStats {
  readonly priorities: Readonly<Record<string, PriorityStats>>;
  /** The retry stream: messages that are given out once more, before all others. */
  readonly retry: PriorityStats;
  /** Messages whose delay has not passed. */
  readonly delayed: number;
  /** Dead letters. */
  readonly dead: number;
  /** Pushes that wait in this process until Redis answers. */
  readonly pending: number;
}

/** The events of a queue. No event contains the content of a message. */
export interface QueueEvents {
  /** A failure that no caller was told of; `id`: of the message it concerns. */
  error: { readonly operation: string; readonly error: Error; readonly id?: string };
  /**
   * A handler of `consume` threw or rejected in this attempt (from 1). The message is given out again after `backoff`,
   * or is a dead letter after `maxAttempts`, unless the handler has settled its lease itself.
   */
  failed: { readonly id: string; readonly attempt: number; readonly error: Error };
  /** This process moved a message to the dead letters. */
  dead: { readonly id: string; readonly reason: DeathReason };
  /** Messages are given out again because their leases had expired. */
  recovered: { readonly count: number };
  /** A push waits in this process until Redis answers. */
  kept: { readonly id: string; readonly pending: number };
  /** Accepted pushes that a failover had lost were pushed again. */
  repaired: { readonly count: number };
}
