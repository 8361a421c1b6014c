import type { CallOptions, Message, Transport } from "@continuum-cache/core";
import { compileGlob, createEvents, hasLastingTimers, NameMap, withDeadline } from "@continuum-cache/core/kit";
import type { HubSettings } from "../settings.ts";
import type { ConnectionChange } from "../types.ts";
import { createLine, type Line } from "./line.ts";
import { bytesOf, type Topic } from "./topic.ts";
import type { Loss, Restoration, TopicListener } from "./topic-listener.ts";

/** Listens on behalf of all who share a transport, through as few streams as there can be: one, nearly always. */
export interface Hub {
  /**
   * Resolves once the topic is heard.
   *
   * @throws TransportError when the server did not confirm in time, or said no.
   */
  attach(topic: Topic, listener: TopicListener, options: CallOptions): Promise<Attachment>;
  /**
   * Hands a message of this process to its own listeners alone, marked as degraded, past any server.
   *
   * @returns how many topics heard it.
   */
  deliverHere(channel: string, data: string): number;
  /**
   * For each listener that shares streams with others: where a stream can end with another listener's request, it is
   * looked after by a timer of this one, which calls `also` too. Returns the function that stops it.
   */
  lookAfter(also: () => void): () => void;
  /** Calls the listener when the transport was closed. Returns the function that stops it. */
  onOver(listener: () => void): () => void;
  /** Returns the function that stops it. */
  onConnection(listener: (change: ConnectionChange) => void): () => void;
}

/** A listener's place at a topic. */
export interface Attachment {
  /** How the topic was when it was attached to. */
  readonly start: Restoration;
  detach(): void;
}

interface Listened {
  readonly line: Line;
  readonly listeners: Set<TopicListener>;
  matches(channel: string): boolean;
}

const hubs = new WeakMap<Transport, Map<string, Hub>>();

/** All hubs of a transport: there is one for each way of listening. */
export function hubsOf(transport: Transport): Iterable<Hub> {
  return hubs.get(transport)?.values() ?? [];
}

/** The hub of all who listen to this transport in the same way. */
export function hubOf(transport: Transport, settings: HubSettings): Hub {
  const ofTransport = hubs.get(transport) ?? new Map<string, Hub>();
  hubs.set(transport, ofTransport);
  const way = JSON.stringify(settings);
  const hub = ofTransport.get(way) ?? createHub(transport, settings);
  ofTransport.set(way, hub);
  return hub;
}

/** A listener looks so often whether the streams that it shares with others are still there. */
const lookMs = 250;

function createHub(transport: Transport, settings: HubSettings): Hub {
  /** By their names: each message is looked up here. */
  const listened = { channel: new NameMap<Listened>(), pattern: new NameMap<Listened>() };
  const lines = new Set<Line>();
  /** The line that took the last topic: nearly always it has room for the next one. */
  let filling: Line | undefined;
  const events = createEvents<{ connection: ConnectionChange; over: undefined }>();
  const capacity = transport.maxTopicBytes ?? Number.POSITIVE_INFINITY;

  const each = (topics: readonly Topic[], call: (listener: TopicListener) => void): void => {
    for (const { kind, name } of topics) {
      for (const listener of [...(listened[kind].get(name)?.listeners ?? [])]) call(listener);
    }
  };
  const lineListener = {
    message(message: Message): void {
      const { channel, pattern } = message;
      const at = pattern === undefined ? listened.channel.get(channel) : listened.pattern.get(pattern);
      if (at) for (const listener of at.listeners) listener.message(message);
    },
    lost: (topics: readonly Topic[], loss: Loss) => each(topics, (listener) => listener.lost(loss)),
    restored: (topics: readonly Topic[], back: Restoration) => each(topics, (listener) => listener.restored(back)),
    connection: (change: ConnectionChange) => events.emit("connection", change),
    over: () => events.emit("over", undefined),
  };

  const lineFor = (topic: Topic): Line => {
    const bytes = bytesOf(topic);
    const hasRoom = (line: Line): boolean => line.topicBytes + bytes <= capacity;
    const free = filling && lines.has(filling) && hasRoom(filling) ? filling : [...lines].find(hasRoom);
    filling = free ?? createLine(transport, settings, lineListener);
    lines.add(filling);
    return filling;
  };

  const listenedAt = (topic: Topic): Listened => {
    const { kind, name } = topic;
    const known = listened[kind].get(name);
    if (known) return known;
    const matches = kind === "pattern" ? compileGlob(name) : (channel: string) => channel === name;
    const at = { line: lineFor(topic), listeners: new Set<TopicListener>(), matches };
    listened[kind].set(name, at);
    return at;
  };

  return {
    deliverHere(channel, data) {
      const patterns = [...listened.pattern].filter(([, { matches }]) => matches(channel));
      const message = { channel, data, degraded: true } as const;
      const own = listened.channel.get(channel);
      for (const listener of [...(own?.listeners ?? [])]) listener.message(message);
      for (const [pattern, { listeners }] of patterns) {
        for (const listener of [...listeners]) listener.message({ ...message, pattern });
      }
      return (own ? 1 : 0) + patterns.length;
    },
    lookAfter(also) {
      if (hasLastingTimers()) return () => {};
      let timer: ReturnType<typeof setTimeout> | undefined;
      const look = (): void => {
        for (const line of [...lines]) line.takeOver();
        also();
        timer = setTimeout(look, lookMs);
      };
      look();
      return () => clearTimeout(timer);
    },
    onOver: (listener) => events.on("over", listener),
    onConnection: (listener) => events.on("connection", listener),
    async attach(topic, listener, options) {
      const at = listenedAt(topic);
      at.listeners.add(listener);
      const detach = (): void => {
        at.listeners.delete(listener);
        const { kind, name } = topic;
        if (at.listeners.size > 0 || listened[kind].get(name) !== at) return;
        listened[kind].delete(name);
        at.line.unwant(topic);
        if (at.line.topicBytes === 0) lines.delete(at.line);
      };
      try {
        const start = await withDeadline(transport.name, options, () => at.line.want(topic));
        return { start, detach };
      } catch (error) {
        detach();
        throw error;
      }
    },
  };
}
