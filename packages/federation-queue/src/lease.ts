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
