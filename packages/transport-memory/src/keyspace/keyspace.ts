import { createLru, type Lru } from "@continuum-cache/core/kit";
import { type Bulk, bulkOfId, byteLength, idOf } from "../values/bulk.ts";
import { createInsertionOrder, type InsertionOrder } from "../values/insertion-order.ts";
import { outOfMemory } from "../values/refusals.ts";
import type { StoredValue } from "../values/stored-value.ts";
import { createExpiryQueue, type Expiry, type ExpiryQueue } from "./expiry-queue.ts";
import { createPatternSweep } from "./pattern-sweep.ts";

/** What each key counts on top of its own bytes and those of its value: its places in the maps. */
const entryOverheadBytes = 352;

/** The expiry of a key that never expires. */
export const never: number = Number.POSITIVE_INFINITY;

/** What a key holds. */
export interface Entry {
  readonly value: StoredValue;
  /** When it expires, in milliseconds since 1970, or `never`. */
  readonly expiresAtMs: number;
  /** Its place in the order of all keys. */
  readonly number: number;
  /** The number of the write that made it; later writes have higher numbers. */
  readonly stamp: number;
  /** Its place in the expiry queue. */
  readonly expiry: Expiry | undefined;
}

export interface KeyspaceOptions {
  readonly maxBytes: number;
  readonly maxEntries?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * All keys, bounded in bytes, the least recently used evicted first. No method ever returns an expired entry.
 */
export interface Keyspace {
  /** The entry of a key. Counts as a use. */
  find(key: Bulk): Entry | undefined;
  /** The entry of a key. Does not count as a use. */
  peek(key: Bulk): Entry | undefined;
  /** Refuses a value that can never fit, before anything is changed. @throws CommandError OOM. */
  assertFits(key: Bulk, valueBytes: number): void;
  /**
   * Stores a value, or updates the size of a stored value that has changed.
   *
   * @throws CommandError OOM when it can never fit.
   */
  put(key: Bulk, value: StoredValue, expiresAtMs: number): void;
  remove(key: Bulk): boolean;
  /**
   * Removes the keys that pass a test. They are gone at once; the promise resolves when they take no memory any more.
   * Keys that are written meanwhile stay.
   */
  removeWhere(test: (key: Bulk) => boolean): Promise<void>;
  /** Removes all keys, in constant time. */
  clear(): void;
  /** The number of keys. */
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
  /** How many keys have an expiry. */
  readonly expiring: number;
  readonly evicted: number;
  readonly expired: number;
}

/** The most expired or deleted entries that one operation removes, so that none pays for a million of them. */
const clearedAtOnce = 100;

export function createKeyspace({ maxBytes, maxEntries, now }: KeyspaceOptions): Keyspace {
  let order: InsertionOrder = createInsertionOrder();
  let expiries: ExpiryQueue = createExpiryQueue();
  let stamp = 0;
  const counts = { evicted: 0, expired: 0 };

  const newEntries = (): Lru<Entry> =>
    createLru({
      maxBytes,
      maxEntries,
      onGone: (entry, why) => {
        if (why === "replaced") return;
        order.remove(entry.number);
        if (entry.expiry) expiries.remove(entry.expiry);
        if (why === "evicted") counts.evicted++;
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
    if (isOver(entry)) counts.expired++;
    return undefined;
  };
  const clearSome = (): void => {
    const nowMs = now();
    for (let cleared = 0; cleared < clearedAtOnce; cleared++) {
      const due = expiries.due(nowMs);
      if (!due) break;
      entries.delete(due.id);
      counts.expired++;
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
      // A fresh entry also for a value that was changed in its place: the bound is kept when one entry replaces
      // another.
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
      // Counting the keys of a deleted pattern takes the same walk as removing them.
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
        return counts.evicted;
      },
      get expired() {
        return counts.expired;
      },
    },
  };
}
