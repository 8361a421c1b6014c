import type { TransportError } from "../errors/transport-error.ts";
import type { Message, Topics } from "../ports/transport.ts";

/** A channel or a pattern, named as it travels. */
export interface Topic {
  readonly kind: TopicKind;
  readonly name: string;
}

/** Over REST channels and patterns are two streams. */
export type TopicKind = "channel" | "pattern";

/** Identifies a topic: a pattern may have the name of a channel. */
export type TopicId = `${TopicKind} ${string}`;

/** Is called with what happens to one topic. It hears nothing between `lost` and `restored`. */
export interface TopicListener {
  /**
   * Needs the server's messages alone, and may miss some: it hears no message that was published within this process
   * while the server is away, and its stream needs no heartbeat. Set by listeners that poll as well.
   */
  readonly serverOnly?: true;
  message(message: Message): void;
  /** The stream broke: messages published after `sinceMs` may be missing. */
  lost(loss: Loss): void;
  restored(back: Restoration): void;
}

/** A stream that broke. */
export interface Loss {
  /** The last time, in milliseconds since 1970, up to which every published message is proven to have been heard. */
  readonly sinceMs: number;
  readonly error: TransportError;
}

/** A stream that is open again. */
export interface Restoration {
  /** When the server confirmed it, in milliseconds since 1970. */
  readonly atMs: number;
  /** The primary is still away: only messages of this process are heard. */
  readonly degraded: boolean;
}

export const idOf = ({ kind, name }: Topic): TopicId => `${kind} ${name}`;

/** The topic through which a message was heard. */
export const topicOf = ({ channel, pattern }: Message): TopicId =>
  pattern === undefined ? `channel ${channel}` : `pattern ${pattern}`;

export const kindOf = ({ pattern }: Message): TopicKind => (pattern === undefined ? "channel" : "pattern");

export const kindsOf = (topics: readonly Topic[]): Set<TopicKind> => new Set(topics.map(({ kind }) => kind));

/** Topics in the form that a transport takes. */
export function toTopics(topics: Iterable<Topic>): Topics {
  const all = [...topics];
  const named = (kind: TopicKind): string[] => all.filter((topic) => topic.kind === kind).map(({ name }) => name);
  return { channels: named("channel"), patterns: named("pattern") };
}

/** The length of the topic's name in an address, in bytes. */
export const bytesOf = ({ name }: Topic): number => encodeURIComponent(name).length + 1;
