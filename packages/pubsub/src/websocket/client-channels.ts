import { tell, toWireChannel, withDeadline } from "@continuum-cache/core";
import type { Position } from "../position.ts";
import type { BridgeSettings } from "./bridge-options.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
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
  close(): void;
}

export interface ClientChannelsOptions<Context> {
  readonly context: Context;
  readonly settings: BridgeSettings<Context>;
  readonly pubsub: BridgePubSub;
  readonly feeds: ChannelFeeds;
  readonly outlet: SeatOutlet;
}

const encoder = new TextEncoder();

export function createClientChannels<Context>(options: ClientChannelsOptions<Context>): ClientChannels {
  const { context, settings, pubsub, feeds, outlet } = options;
  const { maxChannels, maxChannelBytes, maxMessageBytes } = settings;
  /** A seat, or nothing yet while it is asked whether there may be one. */
  const entries = new Map<string, { seat?: Seat }>();

  const fail = (channel: string | undefined, code: FrameErrorCode, message: string): void =>
    outlet.tell({ type: "error", code, message, ...(channel !== undefined && { channel }) });
  const report = (error: unknown, channel: string): void => tell(() => settings.onError(error, channel));

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
      void take(channel, after);
    },
    unsubscribe(channel) {
      if (!isChannel(channel)) {
        return fail(undefined, "bad-channel", `Expected \`channel\` to be a name of 1 to ${maxChannelBytes} bytes`);
      }
      drop(channel);
      outlet.tell({ type: "unsubscribed", channel });
    },
    close() {
      for (const channel of [...entries.keys()]) drop(channel);
    },
  };
}
