import { compileGlob } from "@continuum-cache/core";
import { type Bulk, bulkOfId, idOf } from "../values/bulk.ts";
import { familiesOf, globOf, prefixOf } from "./families.ts";
import { demote, hasDifferences, type Intent } from "./intent.ts";

/** A pattern whose keys the primary has to forget. */
export interface Invalidation {
  readonly glob: string;
  readonly matches: (key: Bulk) => boolean;
  readonly sinceMs: number;
  mutations: number;
}

/** The most that a journal may hold. */
export interface JournalBounds {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * Intents by key and invalidations by pattern, within bounds. An invalidation comes before all intents: whatever was
 * intended earlier for a key that it matches is gone when it is added.
 */
export interface Segment {
  readonly intents: ReadonlyMap<string, Intent>;
  readonly invalidations: ReadonlyMap<string, Invalidation>;
  readonly bytes: number;
  readonly entries: number;
  /** How many mutations its entries stand for. */
  readonly mutations: number;
  /** How many of them could not be kept one by one. */
  readonly dropped: number;
  /** Changes a key's intent through `change`, which is given the present one. */
  put(key: Bulk, change: (intent: Intent | undefined) => Intent): void;
  /** What was intended for a key is over. */
  forget(key: Bulk): void;
  invalidate(glob: string, sinceMs: number): void;
  /** Whether a key matches a pattern whose keys have to go. */
  isInvalidated(key: Bulk): boolean;
  /** When the oldest entry came, in milliseconds since 1970. */
  oldestMs(): number | undefined;
}

/** What an invalidation counts on top of its glob. */
const invalidationBytes = 200;
/** More patterns than this are made fewer and coarser: each costs a walk over the primary's keys. */
const mostInvalidations = 100;

/**
 * @param used - What of the bounds is taken by others.
 * @param onOverflow - Told in words what became coarser, and why.
 */
export function createSegment(
  bounds: JournalBounds,
  used: () => { entries: number; bytes: number },
  onOverflow: (what: string) => void,
): Segment {
  const intents = new Map<string, Intent>();
  /** Those that hold a value, which are the first to go. */
  const valued = new Set<string>();
  const invalidations = new Map<string, Invalidation>();
  let bytes = 0;
  let mutations = 0;
  let dropped = 0;

  const entries = (): number => intents.size + invalidations.size;
  const room = (share: number): { entries: number; bytes: number } => ({
    entries: Math.max(1, Math.floor((bounds.maxEntries - used().entries) * share)),
    bytes: Math.max(1, Math.floor((bounds.maxBytes - used().bytes) * share)),
  });
  const isOver = (limit: { entries: number; bytes: number }): boolean =>
    entries() > limit.entries || bytes > limit.bytes;

  const remove = (id: string): number => {
    const intent = intents.get(id);
    if (!intent) return 0;
    intents.delete(id);
    valued.delete(id);
    bytes -= intent.bytes;
    return intent.mutations;
  };

  const addInvalidation = (glob: string, sinceMs: number, count: number): void => {
    const present = invalidations.get(glob);
    const matches = present?.matches ?? (glob === "*" ? () => true : compileGlob(glob));
    if (!present) bytes += glob.length + invalidationBytes;
    invalidations.set(glob, {
      glob,
      matches,
      sinceMs: present?.sinceMs ?? sinceMs,
      mutations: (present?.mutations ?? 0) + count,
    });
  };

  const mergeInvalidations = (): void => {
    const families = familiesOf([...invalidations.keys()].map(prefixOf), mostInvalidations / 2);
    const old = [...invalidations.values()];
    for (const { glob } of old) bytes -= glob.length + invalidationBytes;
    invalidations.clear();
    for (const { glob, sinceMs, mutations: count } of old) {
      const own = prefixOf(glob);
      const family = families.find(({ prefix }) => own.startsWith(prefix));
      addInvalidation(globOf(family?.prefix ?? ""), sinceMs, count);
    }
    onOverflow(`${old.length} patterns were merged into ${invalidations.size} coarser ones`);
  };

  /** The oldest values first, and only as many as it takes. */
  const demoteValues = (isEnough: () => boolean): void => {
    for (const id of valued) {
      if (isEnough()) return;
      const intent = intents.get(id);
      valued.delete(id);
      if (!intent) continue;
      bytes -= intent.bytes;
      demote(intent);
      bytes += intent.bytes;
      dropped++;
    }
  };

  /** Replaces single deletes by patterns that cover them. */
  const coarsen = (): void => {
    const deletes = [...intents].filter(
      ([, intent]) => !intent.set && !hasDifferences(intent) && typeof intent.key === "string",
    );
    if (deletes.length === 0) return;
    const families = familiesOf(
      deletes.map(([id]) => id),
      mostInvalidations / 2,
    );
    for (const { prefix, keys } of families) {
      // Keys stand in the order in which their intents came.
      const sinceMs = intents.get(keys[0] ?? "")?.sinceMs ?? 0;
      const count = keys.reduce((all, id) => all + remove(id), 0);
      addInvalidation(globOf(prefix), sinceMs, count);
      dropped += count;
    }
    onOverflow(
      `${deletes.length} single deletes became ${families.length} pattern(s), such as ${JSON.stringify(globOf(families[0]?.prefix ?? "").slice(0, 80))}`,
    );
  };

  const dropOldest = (limit: { entries: number; bytes: number }): void => {
    let count = 0;
    for (const [id] of intents) {
      if (!isOver(limit)) break;
      const lost = remove(id);
      count += lost;
      mutations -= lost;
    }
    dropped += count;
    if (count > 0) onOverflow(`${count} changes of counters, lists or hashes were dropped`);
  };

  const keepWithinBounds = (): void => {
    if (invalidations.size > mostInvalidations) mergeInvalidations();
    if (!isOver(room(1))) return;
    // More than the one that was too many, so that the next will find room.
    const target = room(0.5);
    const differing = [...intents.values()].filter(hasDifferences).length;
    demoteValues(() => bytes <= target.bytes && valued.size + differing <= target.entries);
    if (isOver(target)) coarsen();
    if (isOver(target)) dropOldest(target);
  };

  return {
    intents,
    invalidations,
    get bytes() {
      return bytes;
    },
    get entries() {
      return entries();
    },
    get mutations() {
      return mutations;
    },
    get dropped() {
      return dropped;
    },
    put(key, change) {
      const id = idOf(key);
      const present = intents.get(id);
      const before = present?.mutations ?? 0;
      if (present) bytes -= present.bytes;
      const intent = change(present);
      if (!present) intents.set(id, intent);
      bytes += intent.bytes;
      mutations += intent.mutations - before;
      if (intent.set) valued.add(id);
      else valued.delete(id);
      keepWithinBounds();
    },
    forget(key) {
      mutations -= remove(idOf(key));
    },
    isInvalidated: (key) => [...invalidations.values()].some(({ matches }) => matches(key)),
    invalidate(glob, sinceMs) {
      const matches = glob === "*" ? () => true : compileGlob(glob);
      const covered = [...intents.keys()].filter((id) => matches(bulkOfId(id)));
      const count = covered.reduce((all, id) => all + remove(id), 0);
      // One run of deletions says so on each of its trips.
      const isNews = count > 0 || !invalidations.has(glob);
      addInvalidation(glob, sinceMs, count + (isNews ? 1 : 0));
      if (isNews) mutations++;
      keepWithinBounds();
    },
    oldestMs() {
      let oldest = Number.POSITIVE_INFINITY;
      for (const { sinceMs } of invalidations.values()) oldest = Math.min(oldest, sinceMs);
      // Intents stand in the order in which they came.
      for (const { sinceMs } of intents.values()) {
        oldest = Math.min(oldest, sinceMs);
        break;
      }
      return oldest === Number.POSITIVE_INFINITY ? undefined : oldest;
    },
  };
}
