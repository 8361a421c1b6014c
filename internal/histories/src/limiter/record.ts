/**
 * What all records tell. Times are of the one clock that all processes of the machine share, in microseconds since
 * 1970, and enclose the call.
 */
interface Told {
  readonly process: number;
  /** Which of the subjects. */
  readonly subject: number;
  readonly startUs: number;
  /** Absent when it is not known whether, or when, it took effect: the call failed. */
  readonly endUs?: number;
}

/** One decision. */
export interface CallRecord extends Told {
  readonly kind: "call";
  /** Names the call in all processes. */
  readonly ticket: string;
  readonly cost: number;
  readonly outcome: "allowed" | "refused" | "failed";
  readonly source: string;
  /** As in `Said`, for limiters that say so. */
  readonly acceptedUs?: number;
  readonly decidedUs?: number;
  readonly retryUs?: number;
}

/** A call given back. */
export interface RefundRecord extends Told {
  readonly kind: "refund";
  /** Of the call. */
  readonly ticket: string;
  /** What the limiter answered, where it says whether something was given back. */
  readonly isGiven?: boolean;
}

/** A subject that begins anew. */
export interface ResetRecord extends Told {
  readonly kind: "reset";
}

export type LimitRecord = CallRecord | RefundRecord | ResetRecord;
