import type { Violation as AnyViolation } from "../checking/rules.ts";

/** How a limiter can be wrong. */
export type ViolationKind =
  /** A window held more than the limit. */
  | "over-limit"
  /** Certainly so: more calls than the limit began and ended within one window, whatever their receipts say. */
  | "certainly-over-limit"
  /** A call was refused although there was room. */
  | "false-refusal"
  /** A denial was remembered for a moment too long: what another process gave back was not noticed yet. */
  | "late-denial"
  /** A caller that waits as told is refused again although nothing else was accepted. */
  | "retry-too-early"
  /** A caller that waits as told waits longer than needed. */
  | "retry-too-late"
  /** One receipt gave back twice. */
  | "refunded-twice"
  /** A receipt that was still good gave back nothing. */
  | "refund-lost"
  /** A receipt's time lies outside of the call. */
  | "wrong-time";

/** What no limiter may do however busy its machine is; the others tell how good its clock and its memory are. */
export const gravest: readonly ViolationKind[] = [
  "over-limit",
  "certainly-over-limit",
  "false-refusal",
  "refunded-twice",
  "refund-lost",
];

export interface Violation extends AnyViolation<ViolationKind> {
  readonly subject: number;
  readonly ticket: string;
  /** By how much: cost above the limit or below it, or microseconds. */
  readonly amount: number;
}
