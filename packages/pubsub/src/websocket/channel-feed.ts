import type { ReplayOptions } from "../options.ts";
import type { ChannelSubscription, Gap, Message, Position } from "../types.ts";
import type { BridgePubSub } from "./bridge-options.ts";
import { type MessageFrame, writeMessage } from "./message-frame.ts";

/** What a feed has delivered so far. The difference of two tallies is what a listener missed in between. */
export interface FeedTally {
  readonly messages: number;
  /** Those of the messages that are in no history. */
  readonly unplaced: number;
  /** Missing messages of gaps that count them. */
  readonly missed: number;
  /** Gaps that do not count their messages. */
  readonly openGaps: number;
}

/** Is called with the messages and gaps of a channel. Neither function may throw. */
export interface FeedListener {
  message(frame: MessageFrame): void;
  gap(gap: Gap): void;
}

/** One channel, subscribed to once for all clients that ask for it. */
export interface ChannelFeed {
  readonly channel: string;
  /** The history that the channel keeps, or `false`. */
  readonly replay: boolean | ReplayOptions;
  /** Resolves once the server has confirmed. Rejects when the channel can't be listened to. */
  readonly opened: Promise<void>;
  /** A listener that joins now begins behind this message. */
  readonly position: Position | undefined;
  /**
   * A listener that joined before the first message of a history begins behind this position; absent until there is a
   * message. It is one before that message, so its `seq` may be -1.
   */
  readonly origin: Position | undefined;
  /** There was no gap since the last message, so `position` alone says where the feed is. */
  readonly settled: boolean;
  readonly tally: FeedTally;
  readonly listeners: Set<FeedListener>;
  close(): Promise<void>;
}

export interface FeedOptions {
  readonly pubsub: BridgePubSub;
  readonly channel: string;
  readonly replay: boolean | ReplayOptions;
  readonly maxMessageBytes: number;
}

/** Begins to listen to a channel. */
export function openFeed({ pubsub, channel, replay, maxMessageBytes }: FeedOptions): ChannelFeed {
  const listeners = new Set<FeedListener>();
  const tally = { messages: 0, unplaced: 0, missed: 0, openGaps: 0 };
  let position: Position | undefined;
  let origin: Position | undefined;
  let settled = true;
  let subscription: ChannelSubscription | undefined;

  const onMessage = (message: Message): void => {
    settled = true;
    if (message.position) {
      position = message.position;
      origin ??= { epoch: position.epoch, seq: position.seq - 1 };
    }
    const frame = writeMessage(message, maxMessageBytes);
    for (const listener of listeners) listener.message(frame);
    // Counted after the loop: a listener that this message made pause has missed the message.
    tally.messages++;
    if (!message.position) tally.unplaced++;
  };
  const onGap = (gap: Gap): void => {
    settled = false;
    for (const listener of listeners) listener.gap(gap);
    if (gap.missed === undefined) tally.openGaps++;
    else tally.missed += gap.missed;
  };
  const opening = pubsub.subscribe(channel, { replay, onMessage, onGap }).then((opened) => {
    subscription = opened;
  });
  // Callers that wait for `opened` get the error. Without any it must not count as unhandled.
  opening.catch(() => {});

  return {
    channel,
    replay,
    opened: opening,
    get position() {
      return position ?? subscription?.position;
    },
    get origin() {
      return origin;
    },
    get settled() {
      return settled;
    },
    tally,
    listeners,
    async close() {
      listeners.clear();
      await opening.catch(() => {});
      await subscription?.close();
    },
  };
}
