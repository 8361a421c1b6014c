import { compileGlob } from "../keys/glob.ts";
import { NameMap } from "../keys/name-map.ts";
import { createEvents } from "../ports/events.ts";
import type { Message, Transport } from "../ports/transport.ts";
import { hasLastingTimers } from "../time/platform.ts";
import { withDeadline } from "../time/with-deadline.ts";
import { primaryOf } from "../trips/primary-of.ts";
import type { StreamSettings } from "./heartbeat.ts";
import { createReconnectingStream, type ReconnectingStream } from "./reconnecting-stream.ts";
import { type Shared, type SharedStream, streamsOf } from "./stream-registry.ts";
import type { ReconnectingStreamListener, StreamChange } from "./stream-state.ts";
import { bytesOf, type Topic, type TopicListener } from "./topic.ts";

interface Listened {
  readonly stream: ReconnectingStream;
  readonly listeners: Set<TopicListener>;
  matches(channel: string): boolean;
}

/**
 * The stream for full listeners of this transport with the same settings.
 *
 * Entry points load this code at their first use, so that a process that never listens does not load it.
 *
 * @example
 * ```ts
 * import type { Transport } from "@continuum-cache/core";
 *
 * async function wakeOn(transport: Transport, channel: string, wake: () => void): Promise<() => void> {
 *   const { serverStreamOf } = await import("@continuum-cache/core/streams");
 *   const listener = { serverOnly: true, message: wake, lost: wake, restored: wake } as const;
 *   const attached = await serverStreamOf(transport).attach({ kind: "channel", name: channel }, listener, {});
 *   return attached.detach;
 * }
 * ```
 */
export function sharedStreamOf(transport: Transport, settings: StreamSettings): SharedStream {
  const streams = streamsOf(transport);
  const way = JSON.stringify(settings);
  // Full listeners of the primary must not get what those of the fallback above it hear.
  const isSame = (shared: Shared): boolean => shared.way === way && shared.transport === transport;
  const own = streams.find(isSame) ?? streams.find((shared) => shared.way === undefined);
  if (!own) return addShared(streams, { way, transport, settings });
  if (own.way === undefined) Object.assign(own, { way, transport, settings });
  return own.stream;
}

/** The stream for `serverOnly` listeners: any that there is. */
export function serverStreamOf(transport: Transport): SharedStream {
  const streams = streamsOf(transport);
  return streams[0]?.stream ?? addShared(streams, { way: undefined, transport, settings: defaultSettings });
}

const defaultSettings: StreamSettings = {
  timeoutMs: 5_000,
  heartbeatMs: 45_000,
  heartbeatTimeoutMs: 2_000,
  heartbeatChannel: "continuum-cache:alive",
  maxReconnectWaitMs: 5_000,
};

function addShared(streams: Shared[], asked: Omit<Shared, "stream">): SharedStream {
  const shared: Shared = { ...asked, stream: createSharedStream(primaryOf(asked.transport), () => shared) };
  streams.push(shared);
  return shared.stream;
}

/** A listener looks this often whether the streams that it shares with others are still there. */
const lookMs = 250;

/** @param asked - What has been asked for by now. */
function createSharedStream(primary: Transport, asked: () => Pick<Shared, "transport" | "settings">): SharedStream {
  /** By their names: each message is looked up here. */
  const listened = { channel: new NameMap<Listened>(), pattern: new NameMap<Listened>() };
  const events = createEvents<{ connection: StreamChange; over: undefined }>();
  const listenersOf = ({ kind, name }: Topic): Iterable<TopicListener> => listened[kind].get(name)?.listeners ?? [];
  const isServerOnly = (topic: Topic): boolean => [...listenersOf(topic)].every((listener) => listener.serverOnly);

  const each = (topics: readonly Topic[], call: (listener: TopicListener) => void): void => {
    for (const topic of topics) for (const listener of [...listenersOf(topic)]) call(listener);
  };
  const listener: ReconnectingStreamListener = {
    message(message) {
      const { channel, pattern } = message;
      const at = pattern === undefined ? listened.channel.get(channel) : listened.pattern.get(pattern);
      if (at) hand(message, at.listeners);
    },
    lost: (topics, loss) => each(topics, (one) => one.lost(loss)),
    restored: (topics, back) => each(topics, (one) => one.restored(back)),
    connection: (change) => events.emit("connection", change),
    over: () => events.emit("over", undefined),
  };
  const streams = createStreamSet(primary, () =>
    createReconnectingStream({
      primary,
      whole: () => asked().transport,
      settings: () => asked().settings,
      listener,
      isServerOnly,
    }),
  );
  const listenedAt = (topic: Topic): Listened => {
    const { kind, name } = topic;
    const known = listened[kind].get(name);
    if (known) return known;
    const matches = kind === "pattern" ? compileGlob(name) : (channel: string) => channel === name;
    const at = { stream: streams.withRoomFor(topic), listeners: new Set<TopicListener>(), matches };
    listened[kind].set(name, at);
    return at;
  };

  return {
    deliverHere(channel, data) {
      const message = { channel, data, degraded: true } as const;
      const patterns = [...listened.pattern].filter(([, { matches }]) => matches(channel));
      let heard = hand(message, [...listenersOf({ kind: "channel", name: channel })]);
      for (const [pattern, { listeners }] of patterns) heard += hand({ ...message, pattern }, [...listeners]);
      return heard;
    },
    lookAfter(also) {
      if (hasLastingTimers()) return () => {};
      let timer: ReturnType<typeof setTimeout> | undefined;
      const look = (): void => {
        streams.takeOver();
        also();
        timer = setTimeout(look, lookMs);
      };
      look();
      return () => clearTimeout(timer);
    },
    onOver: (onOver) => events.on("over", onOver),
    onConnection: (onConnection) => events.on("connection", onConnection),
    async attach(topic, own, options) {
      const at = listenedAt(topic);
      at.listeners.add(own);
      const detach = (): void => {
        at.listeners.delete(own);
        const { kind, name } = topic;
        if (at.listeners.size > 0 || listened[kind].get(name) !== at) return;
        listened[kind].delete(name);
        at.stream.unwant(topic);
        streams.dropIfUnused(at.stream);
      };
      try {
        const start = await withDeadline(asked().transport.name, options, () => at.stream.want(topic));
        return { start, detach };
      } catch (error) {
        detach();
        throw error;
      }
    },
  };
}

/** @returns 1 when it was handed to any listener, else 0. */
function hand(message: Message, listeners: Iterable<TopicListener>): number {
  let heard = 0;
  for (const listener of listeners) {
    if (message.degraded && listener.serverOnly) continue;
    listener.message(message);
    heard = 1;
  }
  return heard;
}

/**
 * The reconnecting streams of a shared stream: more than one where the names of its topics do not fit into one address.
 */
function createStreamSet({ maxTopicBytes }: Transport, create: () => ReconnectingStream) {
  const streams = new Set<ReconnectingStream>();
  const capacity = maxTopicBytes ?? Number.POSITIVE_INFINITY;
  /** The stream that took the last topic: nearly always it has room for the next one. */
  let filling: ReconnectingStream | undefined;
  return {
    withRoomFor(topic: Topic): ReconnectingStream {
      const bytes = bytesOf(topic);
      const hasRoom = (stream: ReconnectingStream): boolean => stream.topicBytes + bytes <= capacity;
      const free = filling && streams.has(filling) && hasRoom(filling) ? filling : [...streams].find(hasRoom);
      filling = free ?? create();
      streams.add(filling);
      return filling;
    },
    dropIfUnused(stream: ReconnectingStream): void {
      if (stream.topicBytes === 0) streams.delete(stream);
    },
    takeOver(): void {
      for (const stream of [...streams]) stream.takeOver();
    },
  };
}
