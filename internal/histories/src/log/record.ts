import type { CallRecord, CommonRecord, DrainRecord, EventRecord } from "../checking/records.ts";

/** All times are this machine's, in whole milliseconds since 1970, rounded down. */

/** One event of an append, written down once the call has settled. */
export interface AppendRecord {
  readonly kind: "append";
  readonly process: string;
  readonly origin: string;
  /** The event's own, unique in the run. */
  readonly name: string;
  /** Which of the process's events: from 0, in the order in which they were asked for. */
  readonly nth: number;
  readonly startMs: number;
  readonly endMs: number;
  /**
   * `stored`: Redis has it. `pending`: it waits in the process. `taken`: the name is another's. `failed`: it may have
   * been appended.
   */
  readonly outcome: "stored" | "pending" | "taken" | "failed";
  /** With `stored`. */
  readonly seq?: number;
  readonly stampMs?: number;
}

/** A loop over the log begins. */
export interface OpenRecord {
  readonly kind: "open";
  readonly process: string;
  /** The instance that reads, whatever its process. */
  readonly reader: string;
  /** Which of the process's loops: from 0. */
  readonly session: number;
  readonly atMs: number;
}

/** An event as it was given, before anything else is done. */
export interface EntryRecord {
  readonly kind: "entry";
  readonly process: string;
  readonly reader: string;
  readonly session: number;
  readonly origin: string;
  readonly seq: number;
  /** Its time by the log's clock. */
  readonly stampMs: number;
  readonly name: string;
  readonly atMs: number;
  readonly isAltered?: true;
}

export interface CommitRecord {
  readonly kind: "commit";
  readonly process: string;
  readonly reader: string;
  readonly origin: string;
  readonly seq: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: "done" | "failed";
}

/** A gap as it was told to a loop, in order with its entries. */
export interface GapRecord {
  readonly kind: "gap";
  readonly process: string;
  readonly reader: string;
  readonly session: number;
  readonly origin: string;
  readonly missed: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: string;
  readonly atMs: number;
}

/** Whether an instance had caught up with all others when nothing more was appended. */
export interface CaughtUpRecord {
  readonly kind: "caught-up";
  readonly process: string;
  readonly reader: string;
  readonly behind: number;
}

export type LogRecord =
  | AppendRecord
  | DrainRecord
  | OpenRecord
  | EntryRecord
  | CommitRecord
  | GapRecord
  | CallRecord
  | EventRecord
  | CaughtUpRecord
  | CommonRecord;
