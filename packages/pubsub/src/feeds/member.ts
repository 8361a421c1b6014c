import type { Gap, Message, Position } from "../types.ts";

/** One subscription's place at a feed. */
export interface Member {
  /** @param size - How long it was as it travelled, in characters. */
  message(message: Message, size: number): void;
  /** @param occasion - The same for all members that miss the same messages. */
  gap(gap: Gap, occasion: object): void;
}

/** Messages of one topic, for all subscriptions of a PubSub that listen to it in the same way. */
export interface Feed {
  /** Resolves once the member is heard for. @throws TransportError when that took too long. */
  join(member: Member, options: JoinOptions): Promise<Membership>;
  /** Takes over what a call that has vanished has left undone; to be called every now and then where calls can vanish. */
  takeOver(): void;
  /** To be called when the last member has left. */
  close(): void;
}

/** How a member begins. */
export interface JoinOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Behind which message; with all that is kept; absent: with what comes from now on. */
  readonly after?: Position | "beginning";
}

/** What a member has of its feed. */
export interface Membership {
  /** The last message that it was handed, or behind which it began; absent without a history. */
  readonly position: Position | undefined;
  leave(): void;
}
