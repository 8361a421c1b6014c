import type { Codec, Message as Heard, Transport } from "@continuum-cache/core";
import { fromMessageText, longestTimerMs, NameMap, toWireChannel, toWirePattern } from "@continuum-cache/core/kit";
import { createHistoryReader } from "../history/read-history.ts";
import type { Hub } from "../hub/hub.ts";
import { idOf, type Topic, type TopicId, type TopicKind } from "../hub/topic.ts";
import type { ReplaySettings } from "../settings.ts";
import type { Message, Position } from "../types.ts";
import type { Feed, JoinOptions, Member, Membership } from "./member.ts";
import { createReplayFeed } from "./replay-feed.ts";
import { createSeenTags } from "./seen-tags.ts";
import { createVolatileFeed, type Decoded, type FeedParts, readMessage } from "./volatile-feed.ts";

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

interface OfTopic {
  readonly feeds: Map<ReplaySettings["ageMs"] | undefined, { readonly feed: Feed; users: number }>;
  /** What was read in a message that several of them hear: nothing where it can't be read, which has been told. */
  readonly decoded: WeakMap<Heard, Decoded | undefined>;
  /** What was made of it. */
  readonly messages: WeakMap<Heard, Message>;
}

/** Three attempts in the time that a history lives without its subscribers. */
const keepsPerLife = 3;

export function createFeeds({ transport, hub, codec, timeoutMs, onError }: FeedsParts): Feeds {
  /** Of each topic one for each way of listening: without a history, or with one that is kept for so long. */
  const topics = new NameMap<OfTopic, TopicId>();

  const decode: FeedParts["decode"] = (channel, text, position) => {
    try {
      return { data: codec.decode(fromMessageText(text)) };
    } catch (error) {
      onError(channel, error, position);
      return undefined;
    }
  };

  const create = ({ kind, name, replay }: FeedRequest, topic: Topic, ofTopic: OfTopic): Feed => {
    const named = kind === "channel" ? { channel: name } : { channel: name, pattern: name };
    const pattern = kind === "pattern" ? name : undefined;
    const { feeds, decoded, messages } = ofTopic;
    const decodeOnce: FeedParts["decode"] = (channel, text, position, heard) => {
      if (!heard || feeds.size === 1) return decode(channel, text, position);
      if (!decoded.has(heard)) decoded.set(heard, decode(channel, text, position));
      return decoded.get(heard);
    };
    const toMessage: FeedParts["toMessage"] = (heard, frame) => {
      if (feeds.size === 1) return readMessage(heard, frame, decodeOnce, pattern);
      const message = messages.get(heard) ?? readMessage(heard, frame, decodeOnce, pattern);
      if (message) messages.set(heard, message);
      return message;
    };
    const parts = { hub, topic, named, decode: decodeOnce, toMessage };
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
      const { kind, name, replay } = request;
      const topic = { kind, name: kind === "channel" ? toWireChannel(name) : toWirePattern(name) };
      const ofTopic: OfTopic = topics.get(idOf(topic)) ?? {
        feeds: new Map(),
        decoded: new WeakMap(),
        messages: new WeakMap(),
      };
      topics.set(idOf(topic), ofTopic);
      const { feeds } = ofTopic;
      const shared = feeds.get(replay?.ageMs) ?? { feed: create(request, topic, ofTopic), users: 0 };
      feeds.set(replay?.ageMs, shared);
      shared.users++;
      const stopLooking = hub.lookAfter(() => shared.feed.takeOver());
      const giveUp = (): void => {
        stopLooking();
        shared.users--;
        if (shared.users > 0) return;
        feeds.delete(replay?.ageMs);
        if (feeds.size === 0) topics.delete(idOf(topic));
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
