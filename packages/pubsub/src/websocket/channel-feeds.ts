import type { ReplayOptions } from "../options.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
import { type ChannelFeed, openFeed } from "./channel-feed.ts";

/** A hold on a feed. */
export interface HeldFeed {
  readonly feed: ChannelFeed;
  /** Lets go of it; the feed ends a while after the last one has. Safe to call twice. */
  release(): void;
}

/** The feeds of a bridge, one for each channel that any client listens to. */
export interface ChannelFeeds {
  /** How many are held. */
  readonly size: number;
  hold(channel: string): HeldFeed;
  /** Closes those that are held no more; resolves when they are closed. */
  close(): Promise<void>;
}

/** A client that comes back to a channel so soon finds it listened to: going to and fro costs the server nothing. */
const warmMs = 5_000;
/** More than so many are not kept for nobody. */
const mostWarm = 100;

interface FeedsOptions {
  readonly pubsub: BridgePubSub;
  readonly replay: (channel: string) => boolean | ReplayOptions;
  readonly maxMessageBytes: number;
  readonly onError: (error: unknown, channel: string) => void;
}

interface Entry {
  readonly feed: ChannelFeed;
  holders: number;
}

export function createChannelFeeds({ pubsub, replay, maxMessageBytes, onError }: FeedsOptions): ChannelFeeds {
  const open = new Map<string, Entry>();
  /** Held by nobody, the oldest first, and what ends them. */
  const warm = new Map<Entry, ReturnType<typeof setTimeout>>();
  const closing = new Set<Promise<void>>();

  const close = (feed: ChannelFeed): void => {
    const closed = feed
      .close()
      .catch((error: unknown) => onError(error, feed.channel))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  const end = (entry: Entry): void => {
    clearTimeout(warm.get(entry));
    warm.delete(entry);
    if (open.get(entry.feed.channel) === entry) open.delete(entry.feed.channel);
    close(entry.feed);
  };
  const keepWarm = (entry: Entry): void => {
    // One that could not be opened is no use to the next client.
    if (open.get(entry.feed.channel) !== entry) {
      close(entry.feed);
      return;
    }
    const timer = setTimeout(end, warmMs, entry);
    (timer as { unref?(): void }).unref?.();
    warm.set(entry, timer);
    for (const oldest of warm.keys()) {
      if (warm.size <= mostWarm) return;
      end(oldest);
    }
  };

  return {
    get size() {
      return open.size - warm.size;
    },
    hold(channel) {
      const found = open.get(channel);
      const entry: Entry = found ?? {
        feed: openFeed({ pubsub, channel, replay: replay(channel), maxMessageBytes }),
        holders: 0,
      };
      if (!found) {
        open.set(channel, entry);
        // Whoever comes next tries anew.
        entry.feed.opened.catch(() => {
          if (open.get(channel) !== entry) return;
          open.delete(channel);
          clearTimeout(warm.get(entry));
          warm.delete(entry);
        });
      }
      clearTimeout(warm.get(entry));
      warm.delete(entry);
      entry.holders++;
      let held = true;
      return {
        feed: entry.feed,
        release() {
          if (!held) return;
          held = false;
          if (--entry.holders === 0) keepWarm(entry);
        },
      };
    },
    async close() {
      for (const entry of [...warm.keys()]) end(entry);
      await Promise.all(closing);
    },
  };
}
