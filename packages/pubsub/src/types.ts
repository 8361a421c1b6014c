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

/** What became of a message that was published. */
export interface Published {
  /** How many connections have heard it: one for each process that listens, however many listen in it. */
  readonly receivers: number;
  /** Its place in the channel's history; absent without `replay`. */
  readonly position?: Position;
  /** It went to this process only, and into no history: the primary is away. */
  readonly degraded?: true;
}

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

/** What is being listened to, as one call has asked for it. */
export interface ChannelSubscription {
  /** The channels or patterns. */
  readonly names: readonly string[];
  /** With `replay`: the last message that was handed out, to resume behind it later, even in another process. */
  readonly position?: Position | undefined;
  /** Stops listening; nothing is handed out any more. Safe to call twice. */
  close(): Promise<void>;
}

/** What has become of the stream through which this process listens. */
export interface ConnectionChange {
  /** `"degraded"`: the primary is away, and only what this process publishes is heard. */
  readonly state: "connected" | "disconnected" | "degraded";
  readonly at: Date;
  /** Why it broke. */
  readonly reason?: string;
}

/** What a PubSub tells to listeners. */
export interface PubSubEvents {
  /** A message of a subscription that has no handler of its own. */
  readonly message: Message;
  /** Messages that a subscription without a handler of its own, or a loop over `listen()`, did not get. */
  readonly gap: Gap;
  /** The stream broke, or is there again; gaps say what that means for each channel. */
  readonly connection: ConnectionChange;
  /**
   * Something that no call could be told: a message that can't be decoded (it is skipped; `position` is its place in the
   * history, where it has one), a history that can't be read, an entry in it that is no message.
   */
  readonly error: { readonly channel: string; readonly error: Error; readonly position?: Position };
}
