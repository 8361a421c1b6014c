import type { Violation as AnyViolation } from "../checking/rules.ts";
import type { Call } from "./history.ts";

/** A promise that was broken. */
export type ViolationKind =
  /** What was deleted was read again. */
  | "resurrection"
  /** A value was read that no client had written there. */
  | "phantom"
  /** A value that was acknowledged is not there. */
  | "lost"
  /** A set made in an outage replaced what another client wrote later. */
  | "replayed-over"
  /** A counter is not the sum of its increments. */
  | "counter"
  /** A list lacks what was pushed, has it twice, or has it in another order. */
  | "list"
  /** A mutation that only the client itself knows of is not in `pending`. */
  | "untold"
  /** A call that insisted on the primary was answered, though the primary was yet to be told of its key. */
  | "unrefused"
  /** The client did not come back, or has not told the primary everything. */
  | "unsettled"
  /** A call took longer than it may. */
  | "deadline"
  /** A call was rejected because of the primary. */
  | "rejected"
  /** The backend changed in a way that it can't. */
  | "transition"
  /** A key that no client had ever named is not as it was. */
  | "bystander"
  /** What a client said became of the mutations that it had kept does not add up to those. */
  | "report"
  /** A promise was rejected, or an error thrown, without a handler. */
  | "unhandled";

export interface Violation extends AnyViolation<ViolationKind> {
  /** The key that it is about, where there is one. */
  readonly key?: string;
  /** The calls that prove it, in the order of the explanation. */
  readonly calls: readonly Call[];
}

/** What the checker found in one history. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /**
   * How many questions the history leaves open, by kind: the server was allowed to forget the answer, or the machine
   * was too busy.
   */
  readonly undecided: Readonly<Partial<Record<ViolationKind, number>>>;
}

/** A call in words: `client 1's set #12 (local)`. */
export function nameOf(call: Call): string {
  if (call.client < 0) return "the direct read at the end";
  const [start, end] = call.backends;
  const backend = call.insists
    ? "insisting on the primary"
    : start === end && !call.wavered
      ? start
      : `${start}→${end}`;
  return `client ${call.client}'s ${call.operation} #${call.index} (${backend})`;
}
