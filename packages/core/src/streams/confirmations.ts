import { NameMap } from "../keys/name-map.ts";
import { idOf, type Restoration, type Topic, type TopicId } from "./topic.ts";

/** Which topics were heard at least once, and which callers wait for that. */
export interface Confirmations {
  /**
   * Whether the topic was heard at least once: its loss is reported, and it comes first when the stream is opened
   * again.
   */
  isEstablished(topic: Topic): boolean;
  establish(topic: Topic): void;
  /** Drops the topic and the callers that wait for it. */
  forget(topic: Topic): void;
  /** Resolves when the topic is heard. Rejects with what kept the server from confirming it. */
  wait(topic: Topic): Promise<Restoration>;
  resolve(topics: readonly Topic[], back: Restoration): void;
  reject(topics: readonly Topic[], error: unknown): void;
}

interface Waiter {
  resolve(back: Restoration): void;
  reject(error: unknown): void;
}

export function createConfirmations(): Confirmations {
  const established = new NameMap<true, TopicId>();
  const waiters = new Map<TopicId, Waiter[]>();

  const settle = (topics: readonly Topic[], outcome: (waiter: Waiter) => void): void => {
    for (const id of topics.map(idOf)) {
      for (const waiter of waiters.get(id) ?? []) outcome(waiter);
      waiters.delete(id);
    }
  };
  return {
    isEstablished: (topic) => established.has(idOf(topic)),
    establish: (topic) => void established.set(idOf(topic), true),
    forget(topic) {
      established.delete(idOf(topic));
      waiters.delete(idOf(topic));
    },
    wait: (topic) =>
      new Promise((resolve, reject) => {
        const own = { resolve, reject };
        const others = waiters.get(idOf(topic));
        if (others) others.push(own);
        else waiters.set(idOf(topic), [own]);
      }),
    resolve: (topics, back) => settle(topics, ({ resolve }) => resolve(back)),
    reject: (topics, error) => settle(topics, ({ reject }) => reject(error)),
  };
}
