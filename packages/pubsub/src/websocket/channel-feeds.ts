import type { ReplayOptions } from "../replay-options.ts";
import type { BridgePubSub } from "./bridge-pubsub.ts";
import { type ChannelFeed, openFeed } from "./channel-feed.ts";

/** A hold on a feed. */
export interface HeldFeed {
  readonly feed: ChannelFeed;
  /** Lets go of it; the feed ends when nobody holds it. Safe to call twice. */
  release(): void;
}

/** The feeds of a bridge, one for each channel that any client listens to. */
export interface ChannelFeeds {
  readonly size: number;
  hold(channel: string): HeldFeed;
  /** Resolves when all that were let go are closed. */
  closed(): Promise<void>;
}

interface FeedsOptions {
  readonly pubsub: BridgePubSub;
  readonly replay: (channel: string) => boolean | ReplayOptions;
  readonly maxMessageBytes: number;
  readonly onError: (error: unknown, channel: string) => void;
}

export function createChannelFeeds({ pubsub, replay, maxMessageBytes, onError }: FeedsOptions): ChannelFeeds {
  const open = new Map<string, { readonly feed: ChannelFeed; holders: number }>();
  const closing = new Set<Promise<void>>();

  const close = (feed: ChannelFeed): void => {
    const closed = feed
      .close()
      .catch((error: unknown) => onError(error, feed.channel))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    get size() {
      return open.size;
    },
    hold(channel) {
      const found = open.get(channel);
      const entry = found ?? {
        feed: openFeed({ pubsub, channel, replay: replay(channel), maxMessageBytes }),
        holders: 0,
      };
      if (!found) {
        open.set(channel, entry);
        // Whoever comes next tries anew.
        entry.feed.opened.catch(() => {
          if (open.get(channel) === entry) open.delete(channel);
        });
      }
      entry.holders++;
      let held = true;
      return {
        feed: entry.feed,
        release() {
          if (!held) return;
          held = false;
          if (--entry.holders > 0) return;
          if (open.get(channel) === entry) open.delete(channel);
          close(entry.feed);
        },
      };
    },
    async closed() {
      await Promise.all(closing);
    },
  };
}
