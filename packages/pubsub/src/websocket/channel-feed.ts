import type { ReplayOptions } from "../options.ts";
import type { ChannelSubscription, Gap, Message, Position } from "../types.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
import { type MessageFrame, writeMessage } from "./message-frame.ts";

/** What a feed has told so far. The difference of two is what went by in between, for whoever was not listening. */
export interface FeedTally {
  readonly messages: number;
  /** Of them, those that are in no history. */
  readonly unplaced: number;
  /** Messages missing by gaps whose number is known. */
  readonly missed: number;
  /** Gaps whose number is not. */
  readonly openGaps: number;
}

/** Who is told of what comes in on a channel. Neither call may throw. */
export interface FeedListener {
  message(frame: MessageFrame): void;
  gap(gap: Gap): void;
}

/** One channel, listened to once for all clients that ask for it. */
export interface ChannelFeed {
  readonly channel: string;
  /** What history the channel keeps, or `false`. */
  readonly replay: boolean | ReplayOptions;
  /** Resolves once it is listened to; rejects when it can't be. */
  readonly opened: Promise<void>;
  /** Behind which message whoever joins now begins. */
  readonly position: Position | undefined;
  /**
   * Behind which place whoever joined before the first message of a history begins; absent until there is one. It is
   * one before that message, so its `seq` may be -1.
   */
  readonly origin: Position | undefined;
  /** No gap has been told since the last message, so `position` says all that there is to say. */
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
    // Behind the round: for whoever has stopped listening because of this message, it is the first that went by.
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
  // Whoever waits for it hears of it; without anybody it is no unheard error.
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
