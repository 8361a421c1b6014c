/** Why messages may be missing. */
export type GapReason =
  /** The stream was broken between `from` and `to`. */
  | "interrupted"
  /** The history no longer reached back to where the subscriber was. */
  | "trimmed"
  /** The server has lost the history, or the end of it. */
  | "lost"
  /** The subscriber was too slow, and its buffer full. */
  | "slow"
  /** A message could not be decoded by the codecs that this PubSub has: `error` says why. */
  | "unreadable";

/** Messages that a subscriber did not get, or may not have got. Whoever is not told of a gap has missed nothing. */
export interface Gap {
  /** The channel, or the pattern. */
  readonly channel: string;
  /** The pattern, when it was one that was listened to. */
  readonly pattern?: string;
  /** The last time at which nothing was missing. */
  readonly from: Date;
  /** From when on everything is heard again. */
  readonly to: Date;
  /** How many messages are missing, exactly; absent where it can't be known. */
  readonly missed?: number;
  readonly reason: GapReason;
}
