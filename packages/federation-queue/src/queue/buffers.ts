import type { Held } from "./leases.ts";
import type { Source } from "./queue-keys.ts";
import { createTurns } from "./turns.ts";

/** Leases that wait in this process to be worked on, by where they came from. */
export interface Buffers<Event> {
  readonly size: number;
  sizeOf(source: Source): number;
  add(source: Source, leases: readonly Held<Event>[]): void;
  /** The next to work on: what came back first, then each priority in proportion to its weight. */
  next(): Held<Event> | undefined;
  /** Takes away those that were taken before a time. */
  removeBefore(takenMs: number): readonly Held<Event>[];
}

export function createBuffers<Event>(): Buffers<Event> {
  /** None of them is empty. Each is in the order in which it was taken. */
  const queues = new Map<Source, Held<Event>[]>();
  const turns = createTurns();

  return {
    get size() {
      let size = 0;
      for (const queue of queues.values()) size += queue.length;
      return size;
    },
    sizeOf: (source) => queues.get(source)?.length ?? 0,
    add(source, leases) {
      if (leases.length === 0) return;
      const queue = queues.get(source);
      if (queue) queue.push(...leases);
      else queues.set(source, [...leases]);
    },
    next() {
      const source = turns.next(queues.keys());
      const queue = source && queues.get(source);
      const held = queue?.shift();
      if (source && queue?.length === 0) queues.delete(source);
      return held;
    },
    removeBefore(takenMs) {
      const removed: Held<Event>[] = [];
      for (const [source, queue] of queues) {
        const count = queue.findIndex((held) => held.takenMs >= takenMs);
        removed.push(...queue.splice(0, count < 0 ? queue.length : count));
        if (queue.length === 0) queues.delete(source);
      }
      return removed;
    },
  };
}
