import { callListener, toWireChannel, withDeadline } from "@continuum-cache/core/kit";
import type { Position } from "../types.ts";
import type { BridgeSettings } from "./bridge-options.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
import { createBudget } from "./budget.ts";
import type { ChannelFeeds } from "./channel-feeds.ts";
import { createSeat, type Seat, type SeatOutlet } from "./seat.ts";
import type { FrameErrorCode } from "./server-frame.ts";

/** The channels of one client. */
export interface ClientChannels {
  /** Also those that are only asked for. */
  readonly size: number;
  seats(): Iterable<Seat>;
  subscribe(channel: string, after: Position | "beginning" | undefined): void;
  unsubscribe(channel: string): void;
  /** Ends those that are no more allowed, also those that are only asked for. @returns how many. */
  revoke(isRevoked: (channel: string) => boolean): number;
  close(): void;
}

export interface ClientChannelsOptions<Context> {
  readonly context: Context;
  readonly settings: BridgeSettings<Context>;
  readonly pubsub: BridgePubSub;
  readonly feeds: ChannelFeeds;
  readonly outlet: SeatOutlet;
  /** Whether clients of this one's address may subscribe once more. */
  readonly maySubscribe: () => boolean;
}

const encoder = new TextEncoder();

/**
 * Coming back to a channel counts as so many: who does so again and again makes the server read its history each time.
 */
const againCost = 5;
/** A client may subscribe so many times at once, however few channels it may have. */
const leastAtOnce = 20;

export function createClientChannels<Context>(options: ClientChannelsOptions<Context>): ClientChannels {
  const { context, settings, pubsub, feeds, outlet, maySubscribe } = options;
  const { maxChannels, maxChannelBytes, maxMessageBytes, maxSubscribesPerSecond } = settings;
  const budget = createBudget(Math.max(maxChannels, leastAtOnce), maxSubscribesPerSecond);
  /** Channels that it has left, the latest last. */
  const left = new Set<string>();
  /** A seat, or nothing yet while it is asked whether there may be one. */
  const entries = new Map<string, { seat?: Seat }>();

  const fail = (channel: string | undefined, code: FrameErrorCode, message: string): void =>
    outlet.tell({ type: "error", code, message, ...(channel !== undefined && { channel }) });
  const report = (error: unknown, channel: string): void => callListener(() => settings.onError(error, channel));

  const isAllowed = async (channel: string): Promise<boolean> => {
    try {
      const answer = settings.authorize(channel, context);
      if (typeof answer === "boolean") return answer;
      return (await withDeadline("authorize", { timeoutMs: settings.authorizeTimeoutMs }, async () => answer)) === true;
    } catch (error) {
      report(error, channel);
      return false;
    }
  };

  const isChannel = (channel: string): boolean => {
    if (channel.length > maxChannelBytes || encoder.encode(channel).length > maxChannelBytes) return false;
    try {
      toWireChannel(channel);
      return true;
    } catch {
      // Empty, or half a character: no name of any channel.
      return false;
    }
  };

  const drop = (channel: string): void => {
    const entry = entries.get(channel);
    entries.delete(channel);
    entry?.seat?.close();
  };
  const leave = (channel: string): void => {
    drop(channel);
    left.delete(channel);
    left.add(channel);
    for (const oldest of left) {
      if (left.size <= maxChannels) return;
      left.delete(oldest);
    }
  };
  const lose = (channel: string, error: unknown): void => {
    drop(channel);
    report(error, channel);
    fail(channel, "unavailable", "The channel can't be listened to now: try again later");
  };

  const take = async (channel: string, after: Position | "beginning" | undefined): Promise<void> => {
    const entry: { seat?: Seat } = {};
    entries.set(channel, entry);
    const isCurrent = (): boolean => entries.get(channel) === entry;
    const allowed = await isAllowed(channel);
    if (!isCurrent()) return;
    if (!allowed) {
      drop(channel);
      return fail(channel, "forbidden", "This channel is not for you");
    }
    const loseMine = (error: unknown): void => (isCurrent() ? lose(channel, error) : report(error, channel));
    try {
      const held = feeds.hold(channel);
      if (after !== undefined && held.feed.replay === false) {
        held.release();
        drop(channel);
        return fail(channel, "no-history", "This channel keeps no history: subscribe without `after`");
      }
      entry.seat = createSeat({
        channel,
        after,
        held,
        pubsub,
        maxMessageBytes,
        outlet,
        onFailure: loseMine,
        onError: (error) => report(error, channel),
      });
      await entry.seat.start();
    } catch (error) {
      loseMine(error);
    }
  };

  return {
    get size() {
      return entries.size;
    },
    *seats() {
      for (const { seat } of entries.values()) if (seat) yield seat;
    },
    subscribe(channel, after) {
      if (!isChannel(channel)) {
        return fail(undefined, "bad-channel", `Expected \`channel\` to be a name of 1 to ${maxChannelBytes} bytes`);
      }
      if (entries.has(channel)) return fail(channel, "already-subscribed", "You listen to this channel already");
      if (entries.size >= maxChannels) {
        return fail(channel, "too-many-channels", `You may listen to at most ${maxChannels} channels`);
      }
      if (!budget.take(left.has(channel) ? againCost : 1) || !maySubscribe()) {
        const most = `${maxSubscribesPerSecond} channels a second`;
        return fail(channel, "too-fast", `You may subscribe to ${most} in the long run: try again later`);
      }
      void take(channel, after);
    },
    unsubscribe(channel) {
      if (!isChannel(channel)) {
        return fail(undefined, "bad-channel", `Expected \`channel\` to be a name of 1 to ${maxChannelBytes} bytes`);
      }
      if (entries.has(channel)) leave(channel);
      outlet.tell({ type: "unsubscribed", channel });
    },
    revoke(isRevoked) {
      const revoked = [...entries.keys()].filter(isRevoked);
      for (const channel of revoked) {
        drop(channel);
        fail(channel, "forbidden", "This channel is not for you any more");
      }
      return revoked.length;
    },
    close() {
      for (const channel of [...entries.keys()]) drop(channel);
    },
  };
}
