import { NameMap, type TopicId } from "@continuum-cache/core/kit";
import { createTagMap, type TagMap } from "../sources/dedupe-set.ts";
import type { Message } from "../types.ts";

/**
 * The loops over `listen()` and the listeners of the `message` event. They share the subscriptions without a handler.
 */
export interface Outlets {
  /** Adds a loop or a listener. Returns the function that removes it. */
  add(owner: object, push: Push): () => void;
  /** Adds a subscription. Each outlet gets its messages, except those that it got from another subscription. */
  open(topic: TopicId): Inlet;
}

export type Push = (message: Message, size: number) => void;

/** A subscription whose messages go to the outlets. */
export interface Inlet {
  message: Push;
  /** After the last subscription of a topic has left, its messages may be handed out again. */
  leave(): void;
}

interface Outlet {
  readonly push: Push;
  /** The number of the last message that was handed out before it was added. */
  readonly since: number;
}

interface SharedTopic {
  inlets: number;
  /** Numbers of the messages with a position, by their tags. */
  readonly placed: TagMap<number>;
  /**
   * Numbers of messages without a position: all subscriptions of a topic get the same object, at nearly the same time.
   */
  readonly unplaced: WeakMap<Message, number>;
}

export function createOutlets(): Outlets {
  const outlets = new Map<object, Outlet>();
  const topics = new NameMap<SharedTopic, TopicId>();
  /** Counts the messages that are handed out. */
  let count = 0;

  /** Numbers a message. @returns the number under which it was handed out before. */
  const renumber = ({ inlets, placed, unplaced }: SharedTopic, message: Message): number | undefined => {
    const tag = message.position?.tag;
    const before = tag === undefined ? unplaced.get(message) : placed.get(tag);
    count++;
    if (tag !== undefined) placed.set(tag, count);
    else if (inlets > 1) unplaced.set(message, count);
    return before;
  };

  return {
    add(owner, push) {
      const outlet = outlets.get(owner) ?? { push, since: count };
      outlets.set(owner, outlet);
      return () => {
        if (outlets.get(owner) === outlet) outlets.delete(owner);
      };
    },
    open(topic) {
      const shared = topics.get(topic) ?? { inlets: 0, placed: createTagMap<number>(), unplaced: new WeakMap() };
      topics.set(topic, shared);
      shared.inlets++;
      return {
        message(message, size) {
          const before = renumber(shared, message);
          const own = count;
          for (const { push, since } of outlets.values()) {
            const hasHadIt = before !== undefined && since < before;
            if (!hasHadIt && since < own) push(message, size);
          }
        },
        leave() {
          if (--shared.inlets === 0) topics.delete(topic);
        },
      };
    },
  };
}
