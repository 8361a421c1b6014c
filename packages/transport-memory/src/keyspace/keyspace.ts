import { createLru, type Lru } from "@continuum-cache/core/kit";
import { type Bulk, bulkOfId, byteLength, idOf } from "../values/bulk.ts";
import { createInsertionOrder, type InsertionOrder } from "../values/insertion-order.ts";
import { outOfMemory } from "../values/refusals.ts";
import type { StoredValue } from "../values/stored-value.ts";
import { createExpiryQueue, type Expiry, type ExpiryQueue } from "./expiry-queue.ts";
import { createPatternSweep } from "./pattern-sweep.ts";

/** What each key counts on top of its own bytes and its value's: the bookkeeping of the maps it stands in. */
const entryOverheadBytes = 352;

/** For ever. */
export const never: number = Number.POSITIVE_INFINITY;

/** What stands under a key. */
export interface Entry {
  readonly value: StoredValue;
  /** When it ends, in milliseconds since 1970; `never` when it does not. */
  readonly expiresAtMs: number;
  /** Its place in the order of all keys. */
  readonly number: number;
  /** How many entries had been written by then. */
  readonly stamp: number;
  /** What the queue of ends holds for it. */
  readonly expiry: Expiry | undefined;
}

export interface KeyspaceOptions {
  readonly maxBytes: number;
  readonly maxEntries?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** All keys, bounded in bytes, the least recently used given up first. No method ever sees an entry whose time is over. */
export interface Keyspace {
  /** An entry, which counts as used by it. */
  find(key: Bulk): Entry | undefined;
  /** The same without counting as use. */
  peek(key: Bulk): Entry | undefined;
  /** Refuses what could never fit, before anything is changed. @throws CommandError OOM. */
  assertFits(key: Bulk, valueBytes: number): void;
  /**
   * Stores a value, or takes note that a value that stands there has changed its size.
   *
   * @throws CommandError OOM when it could never fit.
   */
  put(key: Bulk, value: StoredValue, expiresAtMs: number): void;
  remove(key: Bulk): boolean;
  /**
   * Removes the keys that pass a test. They are gone at once; the promise resolves when they take no memory any more.
   * What is written meanwhile stays.
   */
  removeWhere(test: (key: Bulk) => boolean): Promise<void>;
  /** Takes no longer the more there is. */
  clear(): void;
  /** How many there are. */
  size(): number;
  /** All keys, in no particular order. */
  keys(): Iterable<Bulk>;
  /** A step of SCAN: see `InsertionOrder`. */
  page(cursor: number, count: number): { readonly keys: readonly Bulk[]; readonly cursor: number };
  random(): Bulk | undefined;
  readonly facts: KeyspaceFacts;
}

/** Counts for INFO. */
export interface KeyspaceFacts {
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** How many keys have an end. */
  readonly expiring: number;
  readonly evicted: number;
  readonly expired: number;
}

/** How many overdue or deleted entries one operation clears away at most: it must not pay for a million of them. */
const clearedAtOnce = 100;

export function createKeyspace({ maxBytes, maxEntries, now }: KeyspaceOptions): Keyspace {
  let order: InsertionOrder = createInsertionOrder();
  let expiries: ExpiryQueue = createExpiryQueue();
  let stamp = 0;
  let evicted = 0;
  let expired = 0;

  const newEntries = (): Lru<Entry> =>
    createLru({
      maxBytes,
      maxEntries,
      onGone: (entry, why) => {
        if (why === "replaced") return;
        order.remove(entry.number);
        if (entry.expiry) expiries.remove(entry.expiry);
        if (why === "evicted") evicted++;
      },
    });
  let entries = newEntries();

  const sweep = createPatternSweep({
    page: (cursor, count) => order.page(cursor, count),
    removeHidden: (id) => livingOf(id, entries.peek(id)),
  });
  const isOver = (entry: Entry): boolean => entry.expiresAtMs <= now();
  const isGone = (id: string, entry: Entry): boolean =>
    isOver(entry) || (!sweep.isIdle && sweep.hides(id, entry.stamp));
  const livingOf = (id: string, entry: Entry | undefined): Entry | undefined => {
    if (entry === undefined || !isGone(id, entry)) return entry;
    entries.delete(id);
    if (isOver(entry)) expired++;
    return undefined;
  };
  const clearSome = (): void => {
    const nowMs = now();
    for (let cleared = 0; cleared < clearedAtOnce; cleared++) {
      const due = expiries.due(nowMs);
      if (!due) break;
      entries.delete(due.id);
      expired++;
    }
    if (!sweep.isIdle) sweep.step(clearedAtOnce);
  };
  const bytesOfEntry = (key: Bulk, valueBytes: number): number => entryOverheadBytes + byteLength(key) + valueBytes;
  const peekId = (id: string): Entry | undefined => livingOf(id, entries.peek(id));
  const isThere = (id: string): boolean => peekId(id) !== undefined;

  const assertFits: Keyspace["assertFits"] = (key, valueBytes) => {
    if (bytesOfEntry(key, valueBytes) > maxBytes) throw outOfMemory();
  };

  return {
    find(key) {
      const id = idOf(key);
      return livingOf(id, entries.get(id));
    },
    peek: (key) => peekId(idOf(key)),
    assertFits,
    put(key, value, expiresAtMs) {
      const bytes = bytesOfEntry(key, value.bytes);
      if (bytes > maxBytes) throw outOfMemory();
      clearSome();
      const id = idOf(key);
      const old = peekId(id);
      const expiry = expiries.set(id, old?.expiry, expiresAtMs);
      const number = old?.number ?? order.add(id);
      // A fresh entry also for a value that was changed in its place: the bound is kept when one entry replaces another.
      entries.set(id, { value, expiresAtMs, number, stamp: ++stamp, expiry }, bytes);
    },
    remove(key) {
      const id = idOf(key);
      return isThere(id) && entries.delete(id);
    },
    removeWhere: (test) => sweep.delete((id) => test(bulkOfId(id)), stamp),
    clear() {
      order = createInsertionOrder();
      entries = newEntries();
      expiries = createExpiryQueue();
      sweep.reset();
    },
    size() {
      clearSome();
      // To count what is left of a deleted pattern takes the same walk as to remove it.
      while (!sweep.isIdle) sweep.step(clearedAtOnce);
      return entries.size - expiries.countDue(now());
    },
    *keys() {
      for (const [id, entry] of entries) if (!isGone(id, entry)) yield bulkOfId(id);
    },
    page(cursor, count) {
      const { ids, cursor: next } = order.page(cursor, count);
      return { keys: ids.filter(isThere).map(bulkOfId), cursor: next };
    },
    random() {
      clearSome();
      for (;;) {
        const id = order.random();
        if (id === undefined || isThere(id)) return id === undefined ? undefined : bulkOfId(id);
      }
    },
    facts: {
      maxBytes,
      get usedBytes() {
        return entries.bytes;
      },
      get expiring() {
        return expiries.size - expiries.countDue(now());
      },
      get evicted() {
        return evicted;
      },
      get expired() {
        return expired;
      },
    },
  };
}
