import type { Position } from "./position.ts";

/** One published message as a subscriber gets it. */
export interface Message<Data = unknown> {
  readonly channel: string;
  /** The pattern through which it was heard, when it was one. */
  readonly pattern?: string;
  /** What was published, read once: all listeners of a channel get the same value. Copy it before you change it. */
  readonly data: Data;
  /** Its place in the history of its channel, to resume behind; absent when it was published without one. */
  readonly position?: Position;
  /** Published within this process, and heard by nobody else: the primary is away. */
  readonly degraded?: true;
}
