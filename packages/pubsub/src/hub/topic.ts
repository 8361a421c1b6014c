import type { Message, Topics } from "@continuum-cache/core";

/** One thing to listen to, named as it travels. */
export interface Topic {
  readonly kind: TopicKind;
  readonly name: string;
}

/** Over some transports channels and patterns are two streams. */
export type TopicKind = "channel" | "pattern";

/** Tells topics apart: a pattern may have a channel's name. */
export type TopicId = `${TopicKind} ${string}`;

export const idOf = ({ kind, name }: Topic): TopicId => `${kind} ${name}`;

/** The topic through which a message was heard. */
export const topicOf = ({ channel, pattern }: Message): TopicId =>
  pattern === undefined ? `channel ${channel}` : `pattern ${pattern}`;

/** Topics as a transport takes them. */
export function toTopics(topics: Iterable<Topic>): Topics {
  const all = [...topics];
  const named = (kind: TopicKind): string[] => all.filter((topic) => topic.kind === kind).map(({ name }) => name);
  return { channels: named("channel"), patterns: named("pattern") };
}

/** What its name takes in an address, in bytes. */
export const bytesOf = ({ name }: Topic): number => encodeURIComponent(name).length + 1;
