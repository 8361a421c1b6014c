/** That a key ends at a time. */
export interface Expiry {
  readonly id: string;
  readonly atMs: number;
}

/** Expiries, the soonest first. What became of a key meanwhile is not known here: whoever takes one must look. */
export interface ExpiryQueue {
  readonly size: number;
  add(expiry: Expiry): void;
  /** Takes the soonest one out, if its time has come. */
  takeDue(nowMs: number): Expiry | undefined;
  /** Starts anew with these. */
  reset(expiries: Iterable<Expiry>): void;
}

/** A binary heap: the children of place `i` are at `2i + 1` and `2i + 2`, and none is sooner than its parent. */
export function createExpiryQueue(): ExpiryQueue {
  const heap: Expiry[] = [];

  const isSooner = (a: number, b: number): boolean => (heap[a] as Expiry).atMs < (heap[b] as Expiry).atMs;
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b] as Expiry, heap[a] as Expiry];
  };
  const sink = (place: number): void => {
    for (let at = place; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let soonest = at;
      if (left < heap.length && isSooner(left, soonest)) soonest = left;
      if (right < heap.length && isSooner(right, soonest)) soonest = right;
      if (soonest === at) return;
      swap(at, soonest);
      at = soonest;
    }
  };
  const add: ExpiryQueue["add"] = (expiry) => {
    let at = heap.push(expiry) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isSooner(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  };

  return {
    get size() {
      return heap.length;
    },
    add,
    takeDue(nowMs) {
      const soonest = heap[0];
      if (soonest === undefined || soonest.atMs > nowMs) return undefined;
      const last = heap.pop() as Expiry;
      if (heap.length > 0) {
        heap[0] = last;
        sink(0);
      }
      return soonest;
    },
    reset(expiries) {
      heap.length = 0;
      for (const expiry of expiries) add(expiry);
    },
  };
}
