import type { Violation as AnyViolation } from "../checking/rules.ts";

/** How pub/sub can be wrong. */
export type ViolationKind =
  /** An acknowledged message came neither itself nor as part of a gap. */
  | "lost"
  /** A message came twice to one subscriber. */
  | "duplicated"
  /** A message came after one that was published behind it. */
  | "reordered"
  /** A message came that no process has published, or whose publishing surely failed. */
  | "phantom"
  | "wrong-channel"
  | "altered"
  /** Two places for one message, or two messages at one place. */
  | "wrong-position"
  /** A gap that begins after its end, or has no whole number of missed messages. */
  | "malformed-gap"
  /** A gap's count is not the number of places that were left out. */
  | "wrong-count"
  /** A gap without a count where the history was there. */
  | "uncounted-gap"
  /** A gap was told, but its times leave out a message that is missing. */
  | "gap-times"
  /** A gap was told only after a message that came behind it. */
  | "late-gap"
  /** After the last fault nothing was heard any more, for too long. */
  | "deaf"
  /** A publish call took longer than it may. */
  | "overdue"
  | "trouble";

export interface Violation extends AnyViolation<ViolationKind> {
  readonly subscriber?: string;
  readonly channel?: string;
  /** The message that shows it, as `publisher/number`. */
  readonly message?: string;
}
