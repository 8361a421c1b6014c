import type { CommonRecord } from "../checking/records.ts";

/** All times are this machine's, in milliseconds since 1970 with their fractions. */

/** A write, written down once the call has settled. Each key has one writer, and versions that rise by 1. */
export interface WriteRecord {
  readonly kind: "write";
  readonly process: string;
  readonly key: string;
  readonly version: number;
  readonly endMs: number;
  /** Not confirmed: it may take effect at any time. No other write of this key follows. */
  readonly isConfirmed: boolean;
}

/** What a read has brought; version 0 for nothing. */
export interface ReadRecord {
  readonly kind: "read";
  readonly process: string;
  readonly key: string;
  readonly version: number;
  /** `peek` has answered from the process; `get` from there or from the server. */
  readonly how: "peek" | "get";
  /** Before the call. */
  readonly startMs: number;
}

/** What a process reads when nothing is written any more, through the near cache and past it. */
export interface FinalRecord {
  readonly kind: "final";
  readonly process: string;
  readonly key: string;
  readonly near: number;
  readonly server: number;
}

/** What the near cache of a process has counted. */
export interface CountRecord {
  readonly kind: "count";
  readonly process: string;
  readonly hits: number;
  readonly syncs: number;
}

export type NearRecord = WriteRecord | ReadRecord | FinalRecord | CountRecord | CommonRecord;
