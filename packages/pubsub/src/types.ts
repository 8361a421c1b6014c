/** One published message as a subscriber gets it. */
export interface Message<Data = unknown> {
  readonly channel: string;
  /** The pattern through which it was heard, if any. */
  readonly pattern?: string;
  /** The decoded data. All listeners of a channel get the same value: copy it before you change it. */
  readonly data: Data;
  /** Its position in the history of its channel, to resume behind; absent when it was published without one. */
  readonly position?: Position;
  /** Published and heard within this process only: the primary is away. */
  readonly degraded?: true;
}

/**
 * A position in the history of a replay channel: the message with the number `seq` of the count that began at `epoch`.
 * Numbers are dense, so the difference of two is how many messages lie between. A new epoch begins when the server has
 * lost the history, or when nothing was published for long.
 */
export interface Position {
  /** When the count began, in milliseconds since 1970 by the server's clock. */
  readonly epoch: number;
  /** The message's number in its epoch, from 0. -1 is the position before the first message. */
  readonly seq: number;
  /**
   * Identifies the message. If the end of a history was lost and written again, the tag shows that its message with
   * this number is another one.
   */
  readonly tag?: string;
}

/** The result of a publish. */
export interface Published {
  /** How many connections received it: one for each process, however many subscriptions it has. */
  readonly receivers: number;
  /** Its position in the channel's history; absent without `replay`. */
  readonly position?: Position;
  /** It reached this process only, and no history: the primary is away. */
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
  /** The codecs of this PubSub could not decode a message. The `error` event says why. */
  | "unreadable";

/** Messages that a subscriber missed, or may have missed. A subscriber that gets no gap has missed nothing. */
export interface Gap {
  /** The channel, or the pattern. */
  readonly channel: string;
  /** The pattern, if the subscription has one. */
  readonly pattern?: string;
  /** The last time at which nothing was missing. */
  readonly from: Date;
  /** From when on everything is heard again. */
  readonly to: Date;
  /** How many messages are missing, exactly; absent where it can't be known. */
  readonly missed?: number;
  readonly reason: GapReason;
}

/** The channels or patterns of one call of `subscribe` or `psubscribe`. */
export interface ChannelSubscription {
  /** The channels or patterns. */
  readonly names: readonly string[];
  /** With `replay`: the last message that was handed out, to resume behind it later, even in another process. */
  readonly position?: Position | undefined;
  /** Stops listening; nothing is handed out any more. Safe to call twice. */
  close(): Promise<void>;
}

/** A change of the stream through which this process listens. */
export interface ConnectionChange {
  /** `"degraded"`: the primary is away, and only messages of this process are heard. */
  readonly state: "connected" | "disconnected" | "degraded";
  readonly at: Date;
  /** Why it broke. */
  readonly reason?: string;
}

/** The events of a PubSub. */
export interface PubSubEvents {
  /** A message of a subscription without a handler. */
  readonly message: Message;
  /** Messages that a subscription without a handler, or a loop over `listen()`, missed. */
  readonly gap: Gap;
  /** The stream broke, or is back. Gaps say what that means for each channel. */
  readonly connection: ConnectionChange;
  /**
   * A failure that no call can report: a message that can't be decoded (it is skipped; `position` is its position in
   * the history, where it has one), a history that can't be read, an entry in it that is no message.
   */
  readonly error: { readonly channel: string; readonly error: Error; readonly position?: Position };
}
