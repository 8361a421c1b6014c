/**
 * A place in the history of a replay channel: the message numbered `seq` of the count that began at `epoch`. Numbers are
 * dense, so the difference of two is how many messages lie between. A new epoch begins when the server has lost the
 * history, or when nothing was published for long.
 */
export interface Position {
  /** When the count began, in milliseconds since 1970 by the server's clock. */
  readonly epoch: number;
  /** The message's number in its epoch, from 0. -1 is the place before the first message. */
  readonly seq: number;
  /**
   * The message's own mark. With it a history whose end was lost and written anew is told from the one that was read;
   * without it that can't be seen.
   */
  readonly tag?: string;
}
