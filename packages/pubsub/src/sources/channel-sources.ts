import type { Codec, Message as Heard, Transport } from "@continuum-cache/core";
import {
  fromMessageText,
  idOf,
  longestTimerMs,
  NameMap,
  type SharedStream,
  type Topic,
  type TopicId,
  type TopicKind,
  toWireChannel,
  toWirePattern,
} from "@continuum-cache/core/kit";
import { createHistoryReader } from "../history/read-history.ts";
import type { ReplaySettings } from "../settings.ts";
import type { Message, Position } from "../types.ts";
import { createDedupeSet } from "./dedupe-set.ts";
import { createReplaySource } from "./replay-source.ts";
import type { ChannelSource, JoinOptions, SourceSubscription, Subscriber } from "./subscriber.ts";
import { createVolatileSource, type Decoded, readMessage, type SourceParts } from "./volatile-source.ts";

/** A channel or pattern, and whether its history is used. */
export interface SourceRequest {
  readonly kind: TopicKind;
  /** As users name it. */
  readonly name: string;
  readonly replay: ReplaySettings | undefined;
}

/** The sources of a PubSub: all subscriptions that ask for the same share one. */
export interface ChannelSources {
  /** @throws TypeError or RangeError when the name is not valid, TransportError when the server did not confirm. */
  join(request: SourceRequest, subscriber: Subscriber, options: JoinOptions): Promise<SourceSubscription>;
}

export interface ChannelSourcesParts {
  readonly transport: Transport;
  readonly stream: SharedStream;
  readonly codec: Codec;
  readonly timeoutMs: number;
  readonly onError: (channel: string, error: unknown, position?: Position) => void;
}

interface OfTopic {
  readonly sources: Map<ReplaySettings["ageMs"] | undefined, { readonly source: ChannelSource; users: number }>;
  /**
   * Decoded values of messages that several sources hear; `undefined` where one can't be decoded, which is reported.
   */
  readonly decoded: WeakMap<Heard, Decoded | undefined>;
  /** The messages that were made of them. */
  readonly messages: WeakMap<Heard, Message>;
}

/** The time to live of a history is renewed three times before it would end. */
const keepsPerLife = 3;

export function createChannelSources({
  transport,
  stream,
  codec,
  timeoutMs,
  onError,
}: ChannelSourcesParts): ChannelSources {
  /** The sources of each topic: one without a history, and one for each age that histories are asked for. */
  const topics = new NameMap<OfTopic, TopicId>();

  const decode: SourceParts["decode"] = (channel, text, position) => {
    try {
      return { data: codec.decode(fromMessageText(text)) };
    } catch (error) {
      onError(channel, error, position);
      return undefined;
    }
  };

  const create = ({ kind, name, replay }: SourceRequest, topic: Topic, ofTopic: OfTopic): ChannelSource => {
    const named = kind === "channel" ? { channel: name } : { channel: name, pattern: name };
    const pattern = kind === "pattern" ? name : undefined;
    const { sources, decoded, messages } = ofTopic;
    const decodeOnce: SourceParts["decode"] = (channel, text, position, heard) => {
      if (!heard || sources.size === 1) return decode(channel, text, position);
      if (!decoded.has(heard)) decoded.set(heard, decode(channel, text, position));
      return decoded.get(heard);
    };
    const toMessage: SourceParts["toMessage"] = (heard, frame) => {
      if (sources.size === 1) return readMessage(heard, frame, decodeOnce, pattern);
      const message = messages.get(heard) ?? readMessage(heard, frame, decodeOnce, pattern);
      if (message) messages.set(heard, message);
      return message;
    };
    const parts = { stream, topic, named, decode: decodeOnce, toMessage };
    if (!replay) return createVolatileSource(parts);
    const foreign = createDedupeSet();
    const reader = createHistoryReader({
      transport,
      replay,
      onForeign(id) {
        const entry = JSON.stringify(id);
        const text = `The history has an entry that is no message, ${entry}: it was skipped; delete it with XDEL`;
        if (foreign.isNew(id)) onError(name, new Error(text));
      },
    });
    const keepEveryMs = Math.min(longestTimerMs, Math.ceil(replay.keyTtlMs / keepsPerLife));
    const onOwnError = (error: unknown): void => onError(name, error);
    return createReplaySource({ ...parts, reader, timeoutMs, keepEveryMs, onError: onOwnError });
  };

  return {
    async join(request, subscriber, options) {
      const { kind, name, replay } = request;
      const topic = { kind, name: kind === "channel" ? toWireChannel(name) : toWirePattern(name) };
      const ofTopic: OfTopic = topics.get(idOf(topic)) ?? {
        sources: new Map(),
        decoded: new WeakMap(),
        messages: new WeakMap(),
      };
      topics.set(idOf(topic), ofTopic);
      const { sources } = ofTopic;
      const shared = sources.get(replay?.ageMs) ?? { source: create(request, topic, ofTopic), users: 0 };
      sources.set(replay?.ageMs, shared);
      shared.users++;
      const stopLooking = stream.lookAfter(() => shared.source.takeOver());
      const giveUp = (): void => {
        stopLooking();
        shared.users--;
        if (shared.users > 0) return;
        sources.delete(replay?.ageMs);
        if (sources.size === 0) topics.delete(idOf(topic));
        shared.source.close();
      };
      try {
        const subscription = await shared.source.join(subscriber, options);
        return {
          get position() {
            return subscription.position;
          },
          leave() {
            subscription.leave();
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
