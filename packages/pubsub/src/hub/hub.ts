import {
  type CallOptions,
  compileGlob,
  createEvents,
  hasLastingTimers,
  type Message,
  type Transport,
  withDeadline,
} from "@continuum-cache/core";
import type { ConnectionChange } from "../connection-change.ts";
import type { HubSettings } from "./hub-settings.ts";
import { createLine, type Line } from "./line.ts";
import { bytesOf, idOf, type Topic, type TopicId, topicOf } from "./topic.ts";
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
  readonly topic: Topic;
  matches(channel: string): boolean;
  readonly line: Line;
  readonly listeners: Set<TopicListener>;
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
  const listened = new Map<TopicId, Listened>();
  const lines = new Set<Line>();
  const events = createEvents<{ connection: ConnectionChange; over: undefined }>();
  const capacity = transport.maxTopicBytes ?? Number.POSITIVE_INFINITY;

  const each = (ids: readonly TopicId[], call: (listener: TopicListener) => void): void => {
    for (const id of ids) for (const listener of [...(listened.get(id)?.listeners ?? [])]) call(listener);
  };
  const lineListener = {
    message(message: Message): void {
      for (const listener of listened.get(topicOf(message))?.listeners ?? []) listener.message(message);
    },
    lost: (ids: readonly TopicId[], loss: Loss) => each(ids, (listener) => listener.lost(loss)),
    restored: (ids: readonly TopicId[], back: Restoration) => each(ids, (listener) => listener.restored(back)),
    connection: (change: ConnectionChange) => events.emit("connection", change),
    over: () => events.emit("over", undefined),
  };

  const lineFor = (topic: Topic): Line => {
    const free = [...lines].find((line) => line.topicBytes + bytesOf(topic) <= capacity);
    const line = free ?? createLine(transport, settings, lineListener);
    lines.add(line);
    return line;
  };

  const matcherOf = ({ kind, name }: Topic): Listened["matches"] =>
    kind === "pattern" ? compileGlob(name) : (channel) => channel === name;

  return {
    deliverHere(channel, data) {
      const hearing = [...listened.values()].filter(({ matches }) => matches(channel));
      for (const { topic, listeners } of hearing) {
        const pattern = topic.kind === "pattern" && { pattern: topic.name };
        const message = { channel, ...pattern, data, degraded: true } as const;
        for (const listener of [...listeners]) listener.message(message);
      }
      return hearing.length;
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
      const id = idOf(topic);
      const at = listened.get(id) ?? {
        topic,
        matches: matcherOf(topic),
        line: lineFor(topic),
        listeners: new Set(),
      };
      listened.set(id, at);
      at.listeners.add(listener);
      const detach = (): void => {
        at.listeners.delete(listener);
        if (at.listeners.size > 0 || listened.get(id) !== at) return;
        listened.delete(id);
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
