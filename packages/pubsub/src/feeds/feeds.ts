import {
  type Codec,
  fromMessageText,
  longestTimerMs,
  type Transport,
  toWireChannel,
  toWirePattern,
} from "@continuum-cache/core";
import { createHistoryReader } from "../history/read-history.ts";
import type { Hub } from "../hub/hub.ts";
import type { TopicKind } from "../hub/topic.ts";
import type { Position } from "../position.ts";
import type { ReplaySettings } from "../replay-settings.ts";
import type { Feed, JoinOptions, Member, Membership } from "./member.ts";
import { createReplayFeed } from "./replay-feed.ts";
import { createSeenTags } from "./seen-tags.ts";
import { createVolatileFeed, type FeedParts } from "./volatile-feed.ts";

/** What is asked of a feed. */
export interface FeedRequest {
  readonly kind: TopicKind;
  /** As its users name it. */
  readonly name: string;
  readonly replay: ReplaySettings | undefined;
}

/** The feeds of a PubSub: one for all subscriptions that want the same. */
export interface Feeds {
  /** @throws TypeError or RangeError when it is no channel; TransportError when the server did not confirm. */
  join(request: FeedRequest, member: Member, options: JoinOptions): Promise<Membership>;
}

export interface FeedsParts {
  readonly transport: Transport;
  readonly hub: Hub;
  readonly codec: Codec;
  readonly timeoutMs: number;
  readonly onError: (channel: string, error: unknown, position?: Position) => void;
}

/** Three attempts in the time that a history lives without its subscribers. */
const keepsPerLife = 3;

export function createFeeds({ transport, hub, codec, timeoutMs, onError }: FeedsParts): Feeds {
  const feeds = new Map<string, { readonly feed: Feed; users: number }>();

  const decode: FeedParts["decode"] = (channel, text, position) => {
    try {
      return { data: codec.decode(fromMessageText(text)) };
    } catch (error) {
      onError(channel, error, position);
      return undefined;
    }
  };

  const create = ({ kind, name, replay }: FeedRequest): Feed => {
    const topic = { kind, name: kind === "channel" ? toWireChannel(name) : toWirePattern(name) };
    const named = kind === "channel" ? { channel: name } : { channel: name, pattern: name };
    const parts = { hub, topic, named, decode };
    if (!replay) return createVolatileFeed(parts);
    const foreign = createSeenTags();
    const reader = createHistoryReader({
      transport,
      replay,
      onForeign(id) {
        const text = `The history holds an entry that is no message, ${JSON.stringify(id)}: it was skipped; delete it with XDEL`;
        if (foreign.isNew(id)) onError(name, new Error(text));
      },
    });
    const keepEveryMs = Math.min(longestTimerMs, Math.ceil(replay.keyTtlMs / keepsPerLife));
    const onOwnError = (error: unknown): void => onError(name, error);
    return createReplayFeed({ ...parts, reader, timeoutMs, keepEveryMs, onError: onOwnError });
  };

  return {
    async join(request, member, options) {
      const id = `${request.kind} ${request.replay?.ageMs ?? "volatile"} ${request.name}`;
      const shared = feeds.get(id) ?? { feed: create(request), users: 0 };
      feeds.set(id, shared);
      shared.users++;
      const stopLooking = hub.lookAfter();
      const giveUp = (): void => {
        stopLooking();
        shared.users--;
        if (shared.users > 0) return;
        feeds.delete(id);
        shared.feed.close();
      };
      try {
        const membership = await shared.feed.join(member, options);
        return {
          get position() {
            return membership.position;
          },
          leave() {
            membership.leave();
            giveUp();
          },
        };
      } catch (error) {
        giveUp();
        throw error;
      }
    },
  };
}
