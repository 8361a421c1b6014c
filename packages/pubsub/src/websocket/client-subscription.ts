import type { ChannelSubscription, Position } from "../types.ts";
import type { BridgePubSub } from "./bridge-options.ts";
import type { FeedListener } from "./channel-feed.ts";
import type { HeldFeed } from "./channel-feeds.ts";
import { type MessageFrame, writeMessage } from "./message-frame.ts";
import { gapFrame, missedWhilePaused, type StoppedAt } from "./missed-while-paused.ts";
import type { ControlFrame } from "./server-frame.ts";

/** The subscription of one client to one channel. */
export interface ClientSubscription {
  readonly isCatchingUp: boolean;
  /** Begins to deliver. Rejects when the channel can't be listened to. */
  start(): Promise<void>;
  /** The client's socket is full: stops delivering, and keeps nothing but the position. */
  pause(): void;
  /** The socket has drained: goes on behind the last delivered message, or reports what the client has missed. */
  resume(): void;
  close(): void;
}

/** The way to the client. */
export interface ClientOutlet {
  readonly isFull: boolean;
  /** @returns whether it was sent. If there was no room, all subscriptions of the client are paused by now. */
  offer(frame: MessageFrame): boolean;
  tell(frame: ControlFrame): void;
}

export interface ClientSubscriptionOptions {
  readonly channel: string;
  readonly after: Position | "beginning" | undefined;
  readonly held: HeldFeed;
  readonly pubsub: BridgePubSub;
  readonly maxMessageBytes: number;
  readonly outlet: ClientOutlet;
  /** The subscription can't go on. */
  readonly onFailure: (error: unknown) => void;
  /** A failure that does not concern the client. */
  readonly onError: (error: unknown) => void;
}

/** A PubSub subscription of its own, until it has reached the position of the feed. */
interface CatchUp {
  subscription: ChannelSubscription | undefined;
  position: Position | undefined;
  /** There was no gap since the last message. */
  settled: boolean;
}

type State =
  | { readonly is: "opening" | "live" | "closed" }
  | { readonly is: "catching-up"; readonly run: CatchUp }
  | { readonly is: "paused"; readonly at: StoppedAt };

/**
 * In the state `live` it delivers from the feed, which all clients of a channel share. In `catching-up` it delivers
 * from a PubSub subscription of its own, until both are at the same message. From there both would deliver the same
 * messages, so changing over neither skips nor repeats any. Messages that are in no history always come from the feed.
 */
export function createClientSubscription(options: ClientSubscriptionOptions): ClientSubscription {
  const { channel, after, held, pubsub, maxMessageBytes, outlet, onFailure, onError } = options;
  const { feed } = held;
  const hasHistory = feed.replay !== false;
  let state: State = { is: "opening" };
  /** Where to go on after a pause. */
  let behind: Position | "beginning" | undefined = after;
  let announced = false;

  const announce = (): void => {
    if (announced) return;
    announced = true;
    outlet.tell({ type: "subscribed", channel, position: behind === "beginning" ? undefined : behind });
  };
  const hand = (frame: MessageFrame): boolean => {
    const sent = outlet.offer(frame);
    if (sent && hasHistory && frame.position) behind = frame.position;
    return sent;
  };
  const listener: FeedListener = {
    message(frame) {
      if (state.is === "live") hand(frame);
      else if (state.is !== "catching-up") return;
      else if (frame.position) meet();
      else if (announced) hand(frame);
    },
    gap(gap) {
      // While its own subscription is not open yet, only the feed reports gaps of messages without a position.
      const isUnheard = state.is === "catching-up" && announced && !state.run.subscription && gap.missed === undefined;
      if (state.is === "live" || isUnheard) outlet.tell(gapFrame(gap));
    },
  };

  const closeQuietly = (subscription: ChannelSubscription | undefined): void => {
    subscription?.close().catch(onError);
  };
  const goLive = (): void => {
    if (state.is === "catching-up") closeQuietly(state.run.subscription);
    state = { is: "live" };
    feed.listeners.add(listener);
  };
  const pause = (): void => {
    if (state.is === "catching-up") closeQuietly(state.run.subscription);
    state = { is: "paused", at: { ms: Date.now(), tally: { ...feed.tally } } };
    feed.listeners.delete(listener);
  };
  const isAtFeed = (position: Position | undefined): boolean => feed.settled && isSame(position, feed.position);
  const meet = (): void => {
    if (state.is !== "catching-up") return;
    const { subscription, position, settled } = state.run;
    if (subscription && settled && isAtFeed(position ?? subscription.position)) goLive();
  };

  const catchUp = async (from: Position | "beginning"): Promise<void> => {
    const run: CatchUp = { subscription: undefined, position: from === "beginning" ? undefined : from, settled: true };
    const isCurrent = (): boolean => state.is === "catching-up" && state.run === run;
    state = { is: "catching-up", run };
    feed.listeners.add(listener);
    const opened = await pubsub.subscribe(channel, {
      replay: feed.replay,
      after: from,
      onMessage(message) {
        if (!isCurrent() || !message.position) return;
        announce();
        if (!hand(writeMessage(message, maxMessageBytes))) return;
        run.position = message.position;
        run.settled = true;
        meet();
      },
      onGap(gap) {
        if (!isCurrent()) return;
        announce();
        run.settled = false;
        outlet.tell(gapFrame(gap));
      },
    });
    if (!isCurrent()) return closeQuietly(opened);
    run.subscription = opened;
    announce();
    meet();
  };

  return {
    get isCatchingUp() {
      return state.is === "catching-up";
    },
    async start() {
      await feed.opened;
      if (state.is !== "opening") return;
      if (hasHistory) behind ??= feed.position;
      if (outlet.isFull) {
        announce();
        pause();
      } else if (after !== undefined) {
        await catchUp(after);
      } else {
        announce();
        goLive();
      }
    },
    pause() {
      if (state.is === "live" || state.is === "catching-up") pause();
    },
    resume() {
      if (state.is !== "paused") return;
      if (hasHistory) behind ??= feed.origin;
      const gap = missedWhilePaused(channel, state.at, feed.tally, behind !== undefined);
      if (gap) outlet.tell(gap);
      if (behind === undefined || (behind !== "beginning" && isAtFeed(behind))) goLive();
      else catchUp(behind).catch(onFailure);
    },
    close() {
      if (state.is === "catching-up") closeQuietly(state.run.subscription);
      state = { is: "closed" };
      feed.listeners.delete(listener);
      held.release();
    },
  };
}

function isSame(one: Position | undefined, other: Position | undefined): boolean {
  if (!one || !other || one.epoch !== other.epoch || one.seq !== other.seq) return false;
  return one.tag === undefined || other.tag === undefined || one.tag === other.tag;
}
