import { createSlices } from "../breathe.ts";
import { outOfMemory } from "../refusals.ts";
import { type Bulk, bulkOfId, byteLength, idOf } from "../values/bulk.ts";
import { createInsertionOrder, type InsertionOrder } from "../values/insertion-order.ts";
import type { StoredValue } from "../values/stored-value.ts";
import { createExpiryQueue } from "./expiry-queue.ts";
import { createLru, type Lru } from "./lru.ts";

/** What each key counts on top of its own bytes and its value's: the bookkeeping of the maps it stands in. */
const entryOverheadBytes = 352;

/** For ever. */
export const never: number = Number.POSITIVE_INFINITY;

/** What stands under a key. */
export interface Entry {
  readonly value: StoredValue;
  /** When it ends, in milliseconds since 1970; `never` when it does not. */
  readonly expiresAtMs: number;
  readonly number: number;
  readonly bytes: number;
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
  /** Removes the keys that pass a test, in slices. What is written meanwhile stays. */
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

/** How many overdue entries one write clears away at most: it must not pay for a million that end together. */
const clearedPerWrite = 100;

export function createKeyspace({ maxBytes, maxEntries, now }: KeyspaceOptions): Keyspace {
  let order: InsertionOrder = createInsertionOrder();
  const expiries = createExpiryQueue();
  let expiring = 0;
  let evicted = 0;
  let expired = 0;

  const newEntries = (): Lru<Entry> =>
    createLru({
      maxBytes,
      maxEntries,
      onGone: (entry, why) => {
        if (entry.expiresAtMs !== never) expiring--;
        if (why === "replaced") return;
        order.remove(entry.number);
        if (why === "evicted") evicted++;
      },
    });
  let entries = newEntries();

  const isOver = (entry: Entry): boolean => entry.expiresAtMs <= now();
  const livingOf = (id: string, entry: Entry | undefined): Entry | undefined => {
    if (entry === undefined || !isOver(entry)) return entry;
    entries.delete(id);
    expired++;
    return undefined;
  };
  const clearOverdue = (limit: number): void => {
    const nowMs = now();
    for (let cleared = 0; cleared < limit; cleared++) {
      const due = expiries.takeDue(nowMs);
      if (!due) return;
      livingOf(due.id, entries.peek(due.id));
    }
  };
  const willExpire = (id: string, atMs: number): void => {
    // What was deleted or given another end leaves its old one behind; they must not outnumber the others.
    if (expiries.size > 2 * expiring + 64) {
      expiries.reset([...entries].filter(hasEnd).map(([own, entry]) => ({ id: own, atMs: entry.expiresAtMs })));
    }
    expiries.add({ id, atMs });
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
      assertFits(key, value.bytes);
      clearOverdue(clearedPerWrite);
      const id = idOf(key);
      const old = peekId(id);
      const bytes = bytesOfEntry(key, value.bytes);
      // A fresh entry also for a value that was changed in its place: the bound is kept when one entry replaces another.
      entries.set(id, { value, expiresAtMs, number: old?.number ?? order.add(id), bytes }, bytes);
      if (expiresAtMs === never) return;
      expiring++;
      if (old?.expiresAtMs !== expiresAtMs) willExpire(id, expiresAtMs);
    },
    remove(key) {
      const id = idOf(key);
      return isThere(id) && entries.delete(id);
    },
    async removeWhere(test) {
      const slices = createSlices();
      for (const [id, entry] of [...entries]) {
        if (entries.peek(id) === entry && test(bulkOfId(id))) entries.delete(id);
        const pause = slices.pause();
        if (pause) await pause;
      }
    },
    clear() {
      order = createInsertionOrder();
      entries = newEntries();
      expiries.reset([]);
      expiring = 0;
    },
    size() {
      clearOverdue(Number.POSITIVE_INFINITY);
      return entries.size;
    },
    *keys() {
      clearOverdue(Number.POSITIVE_INFINITY);
      for (const [id] of [...entries]) yield bulkOfId(id);
    },
    page(cursor, count) {
      const { ids, cursor: next } = order.page(cursor, count);
      return { keys: ids.filter(isThere).map(bulkOfId), cursor: next };
    },
    random() {
      clearOverdue(Number.POSITIVE_INFINITY);
      const id = order.random();
      return id === undefined ? undefined : bulkOfId(id);
    },
    facts: {
      maxBytes,
      get usedBytes() {
        return entries.bytes;
      },
      get expiring() {
        return expiring;
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

const hasEnd = ([, entry]: readonly [string, Entry]): boolean => entry.expiresAtMs !== never;
