import type { Position } from "./position.ts";

/** What became of a message that was published. */
export interface Published {
  /** How many connections have heard it: one for each process that listens, however many listen in it. */
  readonly receivers: number;
  /** Its place in the channel's history; absent without `replay`. */
  readonly position?: Position;
  /** It went to this process only, and into no history: the primary is away. */
  readonly degraded?: true;
}
