import type { Violation as AnyViolation } from "../checking/rules.ts";

/** How a queue can be wrong. */
export type ViolationKind =
  /** An acknowledged message was never applied. */
  | "lost"
  /** What a message does was done twice. */
  | "applied-twice"
  /** A message was given up although its handler had not failed often enough. */
  | "innocent-death"
  /** A killed process's message was not given out again in time. */
  | "late-redelivery"
  /** A message was given out again after an ack of it had resolved. */
  | "delivered-after-ack"
  /** An ack resolved although another process had been given the message before. */
  | "late-ack"
  /** Two processes were given one message under the same counters, with nothing to excuse it. */
  | "delivered-twice"
  /** A call took longer than it may. */
  | "overdue"
  /** A message of a lower priority waited for too many others. */
  | "starved"
  /** A message came that no process has pushed, or whose push surely failed. */
  | "phantom"
  | "altered"
  /** A push was told to be a duplicate of one that there was not. */
  | "false-duplicate"
  /** Something was left in the queue, or in a producer. */
  | "unfinished"
  | "trouble";

export interface Violation extends AnyViolation<ViolationKind> {
  /** The message that shows it. */
  readonly id?: string;
}
