/** The expiry of a key, in a queue. Only the queue changes it. */
export interface Expiry {
  readonly id: string;
  readonly atMs: number;
}

/**
 * The expiries of keys, the soonest first: one for each key that expires. Every operation takes time proportional to
 * the logarithm of their number.
 */
export interface ExpiryQueue {
  readonly size: number;
  /**
   * Sets the expiry of a key, in the place of an earlier one; `Infinity` for none.
   *
   * @param before - What this returned for the key the last time, if it is still in the queue.
   */
  set(id: string, before: Expiry | undefined, atMs: number): Expiry | undefined;
  /** Removes an expiry. */
  remove(expiry: Expiry): void;
  /** The soonest expiry, if it has passed. It stays in the queue. */
  due(nowMs: number): Expiry | undefined;
  /** How many expiries have passed. Takes time proportional to their number. */
  countDue(nowMs: number): number;
}

interface Item extends Expiry {
  atMs: number;
  /** Where it is in the heap. */
  place: number;
}

/** A binary heap: the children of place `i` are at `2i + 1` and `2i + 2`, and none is sooner than its parent. */
export function createExpiryQueue(): ExpiryQueue {
  const heap: Item[] = [];

  const put = (item: Item, place: number): void => {
    heap[place] = item;
    item.place = place;
  };
  const rise = (item: Item): void => {
    let { place } = item;
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = heap[above] as Item;
      if (parent.atMs <= item.atMs) break;
      put(parent, place);
      place = above;
    }
    put(item, place);
  };
  const sink = (item: Item): void => {
    let { place } = item;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as Item).atMs < (heap[below] as Item).atMs) below++;
      const child = heap[below] as Item;
      if (child.atMs >= item.atMs) break;
      put(child, place);
      place = below;
    }
    put(item, place);
  };
  const move = (item: Item, atMs: number): void => {
    const isSooner = atMs < item.atMs;
    item.atMs = atMs;
    if (isSooner) rise(item);
    else sink(item);
  };
  const remove: ExpiryQueue["remove"] = (expiry) => {
    const { place, atMs } = expiry as Item;
    const last = heap.pop() as Item;
    if (last === expiry) return;
    // The last one takes its place, with its time.
    const lastAtMs = last.atMs;
    put(last, place);
    last.atMs = atMs;
    move(last, lastAtMs);
  };

  return {
    get size() {
      return heap.length;
    },
    set(id, before, atMs) {
      if (atMs === Number.POSITIVE_INFINITY) {
        if (before) remove(before);
        return undefined;
      }
      if (before) {
        if (before.atMs !== atMs) move(before as Item, atMs);
        return before;
      }
      const item = { id, atMs, place: heap.length };
      heap.push(item);
      rise(item);
      return item;
    },
    remove,
    due: (nowMs) => (heap[0] && heap[0].atMs <= nowMs ? heap[0] : undefined),
    countDue(nowMs) {
      let count = 0;
      const open = [0];
      for (let place = open.pop(); place !== undefined; place = open.pop()) {
        const item = heap[place];
        if (!item || item.atMs > nowMs) continue;
        count++;
        open.push(2 * place + 1, 2 * place + 2);
      }
      return count;
    },
  };
}
