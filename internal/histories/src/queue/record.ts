import type { CallRecord, CommonRecord, DrainRecord, EventRecord } from "../checking/records.ts";

/** All times are this machine's, in whole milliseconds since 1970, rounded down. */

/** One message of a push, written down once the call has settled. */
export interface PushRecord {
  readonly kind: "push";
  readonly process: string;
  readonly id: string;
  readonly priority: string;
  readonly startMs: number;
  readonly endMs: number;
  /**
   * `stored`: Redis has it. `pending`: it waits in the process. `duplicate`: the id was there already. `none`: it
   * failed, and surely took no effect. `unknown`: it failed, and may have taken effect.
   */
  readonly outcome: "stored" | "pending" | "duplicate" | "none" | "unknown";
  /** With an id of its producer's, which others push too. */
  readonly isNamed?: true;
  readonly delayMs?: number;
}

/** A lease as it was handed out, before anything else is done. */
export interface DeliveryRecord {
  readonly kind: "delivery";
  readonly process: string;
  /** Which of the process's leases: from 0, rising. */
  readonly lease: number;
  readonly id: string;
  readonly priority: string;
  readonly attempt: number;
  readonly crashes: number;
  readonly atMs: number;
  /** The event is not what was pushed. */
  readonly isAltered?: true;
}

/** The handler of a lease failed by itself: its message may be given up after so many of them. */
export interface FailureRecord {
  readonly kind: "failure";
  readonly process: string;
  readonly lease: number;
  readonly id: string;
  readonly atMs: number;
}

/** A call of a lease's method. */
export interface SettleRecord {
  readonly kind: "settle";
  readonly process: string;
  readonly lease: number;
  readonly id: string;
  readonly what: "ack" | "nack" | "release" | "extend";
  readonly startMs: number;
  readonly endMs: number;
  /** `lost`: refused with a LeaseLostError. `failed`: no answer came. */
  readonly outcome: "done" | "lost" | "failed";
}

/** What a message does to the world, once: written by the ledger, a server of its own that nothing happens to. */
export interface EffectRecord {
  readonly kind: "effect";
  readonly id: string;
  readonly process: string;
  readonly atMs: number;
}

/** A message among the dead letters at the end. */
export interface DeadRecord {
  readonly kind: "dead";
  readonly id: string;
  readonly reason: string;
  readonly failures: number;
  readonly crashes: number;
}

/** What was left in the queue after all processes had been told to finish. */
export interface LeftRecord {
  readonly kind: "left";
  readonly depth: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** What the server tells of its streams, where something was left. */
  readonly streams?: Readonly<Record<string, unknown>>;
}

export type QueueRecord =
  | PushRecord
  | DrainRecord
  | DeliveryRecord
  | FailureRecord
  | SettleRecord
  | CallRecord
  | EffectRecord
  | DeadRecord
  | EventRecord
  | LeftRecord
  | CommonRecord;
