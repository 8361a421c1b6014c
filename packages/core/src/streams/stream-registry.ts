import type { CallOptions, Transport } from "../ports/transport.ts";
import { dispatcherOf } from "../trips/round-trip.ts";
import type { StreamSettings } from "./heartbeat.ts";
import type { StreamChange } from "./stream-state.ts";
import type { Restoration, Topic, TopicListener } from "./topic.ts";

/**
 * Listens for all features of a process that use the same server, through as few streams as possible: one, nearly
 * always. Pub/sub and the notifiers of queues and logs attach to topics here.
 *
 * Two kinds of listeners share the stream. A full listener (pub/sub) is told of every message or of a gap: its stream
 * has heartbeats, and where a memory stands in for the server it hears that too. A `serverOnly` listener (a notifier,
 * which polls as well) hears the server alone. What that means where they meet:
 *
 * - While only `serverOnly` listeners are attached, the stream goes past the stand-in, has no heartbeat channel, which
 *   an ACL may forbid, and costs no PUBLISH. A stream that can't be opened does not send the cache into an outage.
 * - The first full listener moves all topics to a stream that has both, opened before the old one is closed.
 *   `serverOnly` topics get `lost` and then `restored`, since nothing proves that the change was seamless; no full
 *   listener is attached yet.
 * - A `serverOnly` listener that comes later joins the stream as it is. No full listener gets a gap because of it: a
 *   stream that can't grow is migrated, which is seamless, as every kind of topic on it has heartbeats.
 * - When the stream breaks, all topics are lost, and one attempt to reconnect serves them all. A topic that was never
 *   heard waits until those that were are back, so a channel that an ACL forbids keeps no other from being restored.
 * - Messages of this process (`degraded`) are not handed to `serverOnly` listeners.
 */
export interface SharedStream {
  /**
   * Resolves once the topic is heard.
   *
   * @throws TransportError when the server did not confirm in time, or refused the topic.
   */
  attach(topic: Topic, listener: TopicListener, options: CallOptions): Promise<Attachment>;
  /**
   * Hands a message of this process to its own full listeners, marked as degraded, past any server.
   *
   * @returns how many topics heard it.
   */
  deliverHere(channel: string, data: string): number;
  /**
   * For each listener that shares streams with others: where a stream can end with the request of another listener, a
   * timer of this listener's request looks after it, and calls `also` too. Returns the function that stops it.
   */
  lookAfter(also: () => void): () => void;
  /** Calls the listener when the transport was closed. Returns the function that stops it. */
  onOver(listener: () => void): () => void;
  /** Returns the function that stops it. */
  onConnection(listener: (change: StreamChange) => void): () => void;
}

/** The place of a listener at a topic. */
export interface Attachment {
  /** How the topic was when the listener was attached. */
  readonly start: Restoration;
  detach(): void;
}

/** A shared stream, and what its full listeners have asked for: nothing while it has none. */
export interface Shared {
  readonly stream: SharedStream;
  way: string | undefined;
  transport: Transport;
  settings: StreamSettings;
}

/** By the primary, which the transports of all features have in common. */
const streamsByPrimary = new WeakMap<Transport, Shared[]>();

/** The shared streams with full listeners of this transport: one for each way of listening. */
export const sharedStreamsOf = (transport: Transport): readonly SharedStream[] =>
  streamsOf(transport).flatMap((shared) => (shared.transport === transport ? [shared.stream] : []));

export function streamsOf(transport: Transport): Shared[] {
  const key = dispatcherOf(transport)?.primary ?? transport;
  const streams = streamsByPrimary.get(key) ?? [];
  streamsByPrimary.set(key, streams);
  return streams;
}
