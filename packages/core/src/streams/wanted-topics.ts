import { NameMap } from "../keys/name-map.ts";
import { bytesOf, idOf, type Topic, type TopicId } from "./topic.ts";

/**
 * The topics that a reconnecting stream must listen to, and how they differ from those that its live stream listens to.
 * Each change updates both differences, so one more topic costs the same however many there are. Only a new live stream
 * is compared with all of them.
 */
export interface WantedTopics {
  readonly size: number;
  /** The length of the topics' names in an address, in bytes. */
  readonly bytes: number;
  has(id: TopicId): boolean;
  all(): Topic[];
  add(topic: Topic): void;
  delete(topic: Topic): void;
  /** Counts a wanted topic as missing although the live stream has it: it needs more of the stream than before. */
  renew(topic: Topic): void;
  /** Topics that the live stream does not listen to yet. */
  missing(): Topic[];
  /** Topics that the live stream need not listen to any more. */
  surplus(): Topic[];
  /** Compares all topics with those of another stream. @param own - Topics that the stream has for itself. */
  compare(streamed: NameMap<Topic, TopicId> | undefined, own: readonly Topic[]): void;
  /** Must be called when the stream listens to these topics too. */
  added(topics: readonly Topic[]): void;
  /** Must be called when the stream no longer listens to these topics. */
  removed(topics: readonly Topic[]): void;
}

export function createWantedTopics(): WantedTopics {
  const wanted = new NameMap<Topic, TopicId>();
  const missing = new Map<TopicId, Topic>();
  const surplus = new Map<TopicId, Topic>();
  let streamed: NameMap<Topic, TopicId> | undefined;
  let bytes = 0;

  return {
    get size() {
      return wanted.size;
    },
    get bytes() {
      return bytes;
    },
    has: (id) => wanted.has(id),
    all: () => [...wanted.values()],
    add(topic) {
      const id = idOf(topic);
      if (!wanted.has(id)) bytes += bytesOf(topic);
      wanted.set(id, topic);
      surplus.delete(id);
      if (!streamed?.has(id)) missing.set(id, topic);
    },
    delete(topic) {
      const id = idOf(topic);
      if (!wanted.delete(id)) return;
      bytes -= bytesOf(topic);
      missing.delete(id);
      if (streamed?.has(id)) surplus.set(id, topic);
    },
    renew(topic) {
      missing.set(idOf(topic), topic);
    },
    missing: () => [...missing.values()],
    surplus: () => [...surplus.values()],
    compare(topics, own) {
      streamed = topics;
      missing.clear();
      surplus.clear();
      for (const [id, topic] of wanted) if (!topics?.has(id)) missing.set(id, topic);
      for (const [id, topic] of topics ?? []) if (!wanted.has(id)) surplus.set(id, topic);
      for (const topic of own) surplus.delete(idOf(topic));
    },
    added(topics) {
      for (const topic of topics) {
        const id = idOf(topic);
        missing.delete(id);
        // The last listener may have left meanwhile.
        if (!wanted.has(id)) surplus.set(id, topic);
      }
    },
    removed(topics) {
      for (const topic of topics) surplus.delete(idOf(topic));
    },
  };
}
