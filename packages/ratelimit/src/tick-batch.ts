import { afterThisTick } from "@continuum-cache/core";

/** Collects what one tick adds, and hands it on together at the end of the tick. */
export interface TickBatch<Item> {
  add(item: Item): void;
  /** Hands on what was added so far. What comes after it must not overtake it. */
  flush(): void;
}

/** What was added waits for the end of its tick. What waits for longer may have lost it: on the edge a request can end anywhere. */
const longTickMs = 10;

/** @param most - How many items are handed on at once; more go in several parts. */
export function createTickBatch<Item>(most: number, handOn: (items: readonly Item[]) => void): TickBatch<Item> {
  let items: Item[] = [];
  let scheduledMs = Number.NEGATIVE_INFINITY;

  const flush = (): void => {
    const all = items;
    items = [];
    for (let from = 0; from < all.length; from += most) handOn(all.length > most ? all.slice(from, from + most) : all);
  };

  return {
    flush,
    add(item) {
      items.push(item);
      const nowMs = performance.now();
      if (items.length > 1 && nowMs - scheduledMs < longTickMs) return;
      scheduledMs = nowMs;
      afterThisTick(flush);
    },
  };
}
