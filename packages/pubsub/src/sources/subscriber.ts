import type { Gap, Message, Position } from "../types.ts";

/** One subscription of a source. */
export interface Subscriber {
  /** @param size - The length of the message as it travelled, in characters. */
  message(message: Message, size: number): void;
  /** @param occasion - The same object for all subscribers that miss the same messages. */
  gap(gap: Gap, occasion: object): void;
}

/** The messages of one topic, for all subscriptions of a PubSub that listen to it in the same way. */
export interface ChannelSource {
  /** Resolves once the topic is heard. @throws TransportError when that took too long. */
  join(subscriber: Subscriber, options: JoinOptions): Promise<SourceSubscription>;
  /** Takes over what a vanished call has left undone. Where calls can vanish, it must be called every now and then. */
  takeOver(): void;
  /** Must be called when the last subscriber has left. */
  close(): void;
}

/** Where a subscriber begins, and how long that may take. */
export interface JoinOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Behind this message, or with everything that is kept. Absent: with what is published from now on. */
  readonly after?: Position | "beginning";
}

/** A subscriber that has joined a source. */
export interface SourceSubscription {
  /** The last message that it got, or behind which it began; absent without a history. */
  readonly position: Position | undefined;
  leave(): void;
}
