import type { ReplayOptions } from "../options.ts";
import type { BridgePubSub } from "./bridge-options.ts";
import { type ChannelFeed, openFeed } from "./channel-feed.ts";

/** A reference to a feed. */
export interface HeldFeed {
  readonly feed: ChannelFeed;
  /** Drops the reference. The feed closes a while after its last reference is gone. Safe to call twice. */
  release(): void;
}

/** The feeds of a bridge: one for each channel that has clients. */
export interface ChannelFeeds {
  /** How many feeds have references. */
  readonly size: number;
  hold(channel: string): HeldFeed;
  /** Closes the feeds without references. Resolves when they are closed. */
  close(): Promise<void>;
}

/** A feed without references stays open for so long, so a client that comes back soon costs the server nothing. */
const warmMs = 5_000;
/** At most so many feeds without references stay open. */
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
  /** Feeds without references, the oldest first, and the timers that close them. */
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
    // A feed that could not be opened is of no use to the next client.
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
        // The next client tries again.
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
