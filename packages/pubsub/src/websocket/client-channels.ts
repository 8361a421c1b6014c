import { callListener, toWireChannel, withDeadline } from "@continuum-cache/core/kit";
import type { Position } from "../types.ts";
import type { BridgePubSub, BridgeSettings } from "./bridge-options.ts";
import { createBudget } from "./budget.ts";
import type { ChannelFeeds } from "./channel-feeds.ts";
import { type ClientOutlet, type ClientSubscription, createClientSubscription } from "./client-subscription.ts";
import type { FrameErrorCode } from "./server-frame.ts";

/** The channels of one client. */
export interface ClientChannels {
  /** Includes channels that wait for `authorize`. */
  readonly size: number;
  subscriptions(): Iterable<ClientSubscription>;
  subscribe(channel: string, after: Position | "beginning" | undefined): void;
  unsubscribe(channel: string): void;
  /** Ends revoked subscriptions, including those that wait for `authorize`. @returns how many. */
  revoke(isRevoked: (channel: string) => boolean): number;
  close(): void;
}

export interface ClientChannelsOptions<Context> {
  readonly context: Context;
  readonly settings: BridgeSettings<Context>;
  readonly pubsub: BridgePubSub;
  readonly feeds: ChannelFeeds;
  readonly outlet: ClientOutlet;
  /** Whether clients of this one's address may subscribe once more. */
  readonly maySubscribe: () => boolean;
}

const encoder = new TextEncoder();

/** Coming back to a channel counts as so many subscriptions: each time the server reads its history. */
const againCost = 5;
/** A client may subscribe so many times at once, even if it may have fewer channels. */
const leastAtOnce = 20;

export function createClientChannels<Context>(options: ClientChannelsOptions<Context>): ClientChannels {
  const { context, settings, pubsub, feeds, outlet, maySubscribe } = options;
  const { maxChannels, maxChannelBytes, maxMessageBytes, maxSubscribesPerSecond } = settings;
  const budget = createBudget(Math.max(maxChannels, leastAtOnce), maxSubscribesPerSecond);
  const left = createLeftChannels(maxChannels);
  /** Without a subscription while `authorize` decides. */
  const entries = new Map<string, { subscription?: ClientSubscription }>();

  const fail = (channel: string | undefined, code: FrameErrorCode, message: string): void =>
    outlet.tell({ type: "error", code, message, ...(channel !== undefined && { channel }) });
  const report = (error: unknown, channel: string): void => callListener(() => settings.onError(error, channel));

  const refuseName = (): void =>
    fail(undefined, "bad-channel", `Expected \`channel\` to be a name of 1 to ${maxChannelBytes} bytes`);
  const drop = (channel: string): void => {
    const entry = entries.get(channel);
    entries.delete(channel);
    entry?.subscription?.close();
  };
  const lose = (channel: string, error: unknown): void => {
    drop(channel);
    report(error, channel);
    fail(channel, "unavailable", "The channel can't be listened to now: try again later");
  };

  const take = async (channel: string, after: Position | "beginning" | undefined): Promise<void> => {
    const entry: { subscription?: ClientSubscription } = {};
    entries.set(channel, entry);
    const isCurrent = (): boolean => entries.get(channel) === entry;
    const allowed = await isAllowed(channel, context, settings, report);
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
      entry.subscription = createClientSubscription({
        channel,
        after,
        held,
        pubsub,
        maxMessageBytes,
        outlet,
        onFailure: loseMine,
        onError: (error) => report(error, channel),
      });
      await entry.subscription.start();
    } catch (error) {
      loseMine(error);
    }
  };

  return {
    get size() {
      return entries.size;
    },
    *subscriptions() {
      for (const { subscription } of entries.values()) if (subscription) yield subscription;
    },
    subscribe(channel, after) {
      if (!isChannel(channel, maxChannelBytes)) return refuseName();
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
      if (!isChannel(channel, maxChannelBytes)) return refuseName();
      if (entries.has(channel)) {
        drop(channel);
        left.add(channel);
      }
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

async function isAllowed<Context>(
  channel: string,
  context: Context,
  { authorize, authorizeTimeoutMs }: BridgeSettings<Context>,
  report: (error: unknown, channel: string) => void,
): Promise<boolean> {
  try {
    const answer = authorize(channel, context);
    if (typeof answer === "boolean") return answer;
    return (await withDeadline("authorize", { timeoutMs: authorizeTimeoutMs }, async () => answer)) === true;
  } catch (error) {
    report(error, channel);
    return false;
  }
}

function isChannel(channel: string, maxBytes: number): boolean {
  if (channel.length > maxBytes || encoder.encode(channel).length > maxBytes) return false;
  try {
    toWireChannel(channel);
    return true;
  } catch {
    // The name is empty, or has half a character.
    return false;
  }
}

/** The latest channels that a client has left. */
function createLeftChannels(most: number) {
  const left = new Set<string>();
  return {
    has: (channel: string): boolean => left.has(channel),
    add(channel: string): void {
      left.delete(channel);
      left.add(channel);
      for (const oldest of left) {
        if (left.size <= most) return;
        left.delete(oldest);
      }
    },
  };
}
