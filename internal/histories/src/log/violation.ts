import type { Violation as AnyViolation } from "../checking/rules.ts";

/** How a log can be wrong. */
export type ViolationKind =
  /** An acknowledged event never came to an instance, neither itself nor as part of a gap. */
  | "lost"
  /** Events came in another order, or were left out, within a loop, or where the next one went on. */
  | "out-of-order"
  /** An event came again although it had been committed. */
  | "repeated"
  /** Two events under one number, or one event under two. */
  | "wrong-number"
  /** Numbers of an origin are left out. */
  | "not-dense"
  /** A later event has an earlier time. */
  | "clock"
  /** An instance was given its own event. */
  | "own-event"
  | "altered"
  /** An event came that no process has appended. */
  | "phantom"
  /** A gap's count is not the number of events that were left out. */
  | "wrong-count"
  /** A gap was told where nothing was lost. */
  | "false-gap"
  /** A name was refused that no other process had. */
  | "taken"
  /** A call took longer than it may. */
  | "overdue"
  /** An instance did not catch up, or something waits in it still. */
  | "unfinished"
  | "trouble";

export interface Violation extends AnyViolation<ViolationKind> {
  /** The event that shows it, as `origin/seq`, or its own name. */
  readonly event?: string;
}
