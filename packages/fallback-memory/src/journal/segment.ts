import { type Bulk, bulkOfId, byteLength, idOf } from "@continuum-cache/transport-memory/kit";
import { createCopyableMap } from "./copyable-map.ts";
import { createIntent, type Intent, isBareDelete } from "./intent.ts";
import { createPatternSet, type DeletedPattern, type PatternSet } from "./pattern-set.ts";

/**
 * Pending changes by key, and deleted patterns. A pattern comes before the changes of all keys: what a matching key was given
 * earlier is gone, and is not told when its turn comes. A key that is only to be deleted takes few bytes, so that a
 * million of them fit.
 */
export interface Segment {
  readonly bytes: number;
  /** Keys and patterns. */
  readonly entries: number;
  /** How many mutations the entries stand for. */
  readonly mutations: number;
  /** When the oldest entry came, in milliseconds since 1970. */
  readonly oldestMs: number | undefined;
  readonly patterns: Omit<PatternSet, "add">;
  /** Keys that are only to be deleted, and how many mutations each stands for. */
  deletes(): Iterable<readonly [key: Bulk, mutations: number]>;
  /** All other keys; `undefined` stands for one that is gone with a pattern. */
  intents(): Iterable<Intent | undefined>;
  intentOf(key: Bulk): Intent | undefined;
  /** What becomes of a key: `gone`: with a pattern alone. */
  stateOf(key: Bulk): "changed" | "deleted" | "gone" | "none";
  /** Whether the primary's value of a key is gone by this process's own word. */
  deletesKey(key: Bulk): boolean;
  /** Changes what is intended for a key. `isNew`: it was not there, or was only to be deleted. */
  put(key: Bulk, nowMs: number, change: (intent: Intent, isNew: boolean) => void): void;
  /**
   * Begins a copy of the deletes and the other changes as they are now, and ends one that was under way.
   *
   * @returns a function that copies so many more keys, and tells whether any may be left. A change that is about to be
   * changed is copied first.
   */
  beginCopy(copy: SegmentCopy): (keys: number) => boolean;
  /** Nothing changes any more. */
  seal(): void;
  /** What was intended for a key is over. @returns how many mutations that were. */
  forget(key: Bulk): number;
  /**
   * Adds a pattern.
   *
   * @param isNew - Whether what matching keys were given until now is to go; else only when the pattern is not there yet.
   * @returns whether that changed anything.
   */
  invalidate(glob: string, nowMs: number, isNew: boolean, count: number): boolean;
}

/** Takes the changes that are copied. */
export interface SegmentCopy {
  deleted(key: Bulk, mutations: number): void;
  /** An intent may change after the call. */
  changed(intent: Intent): void;
}

/** What a key that is only to be deleted counts on top of its name: its place in the map. */
export const deleteOverheadBytes = 64;
/** What a pattern counts on top of its glob. */
export const patternOverheadBytes = 400;

export function createSegment(): Segment {
  const intents = createCopyableMap<Intent>();
  const deletes = createCopyableMap<number>();
  const patterns = createPatternSet();
  let bytes = 0;
  let mutations = 0;
  let places = 0;
  let oldestMs = Number.POSITIVE_INFINITY;

  const countEntries = (): number => intents.size + deletes.size + patterns.size;
  const intentOf: Segment["intentOf"] = (key) => {
    const intent = intents.get(idOf(key));
    return intent && !patternBehind(intent, patterns) ? intent : undefined;
  };
  const stateOf: Segment["stateOf"] = (key) => {
    const id = idOf(key);
    if (intents.has(id)) return "changed";
    if (deletes.has(id)) return "deleted";
    return patterns.latestFor(key) ? "gone" : "none";
  };
  const takeDelete = (id: string): number | undefined => {
    const count = deletes.get(id);
    if (count === undefined) return undefined;
    deletes.delete(id);
    bytes -= byteLength(bulkOfId(id)) + deleteOverheadBytes;
    return count;
  };
  const takeIntent = (id: string): Intent | undefined => {
    const intent = intents.get(id);
    if (!intent) return undefined;
    intents.delete(id);
    bytes -= intent.bytes;
    const pattern = patternBehind(intent, patterns);
    if (!pattern) return intent;
    pattern.mutations += intent.mutations;
    return undefined;
  };

  return {
    get bytes() {
      return bytes;
    },
    get entries() {
      return countEntries();
    },
    get mutations() {
      return mutations;
    },
    get oldestMs() {
      return countEntries() > 0 ? oldestMs : undefined;
    },
    patterns,
    *deletes() {
      for (const [id, count] of deletes.entries()) yield [bulkOfId(id), count] as const;
    },
    *intents() {
      for (const intent of intents.values()) yield patternBehind(intent, patterns) ? undefined : intent;
    },
    intentOf,
    stateOf,
    deletesKey(key) {
      const state = stateOf(key);
      return state === "changed" ? (intentOf(key)?.deleted ?? true) : state !== "none";
    },
    put(key, nowMs, change) {
      oldestMs = Math.min(oldestMs, nowMs);
      const id = idOf(key);
      let intent = takeIntent(id);
      const isNew = intent === undefined;
      const before = intent?.mutations ?? 0;
      const deleted = takeDelete(id);
      const pattern = patterns.latestFor(key);
      // What goes with a pattern is known to be gone.
      intent ??= Object.assign(createIntent(key, nowMs, ++places), {
        mutations: deleted ?? 0,
        deleted: deleted !== undefined || pattern !== undefined,
      });
      change(intent, isNew);
      mutations += intent.mutations - (isNew ? (deleted ?? 0) : before);
      if (!isBareDelete(intent)) {
        intents.set(id, intent);
        bytes += intent.bytes;
      } else if (pattern) {
        pattern.mutations += intent.mutations;
      } else {
        deletes.set(id, intent.mutations);
        bytes += byteLength(key) + deleteOverheadBytes;
      }
    },
    beginCopy(copy) {
      const upTo = places;
      deletes.beginCopy((id, count) => copy.deleted(bulkOfId(id), count));
      intents.beginCopy((_, intent) => {
        if (!patternBehind(intent, patterns, upTo)) copy.changed(intent);
      });
      return (keys) => deletes.copyMore(keys) || intents.copyMore(keys);
    },
    seal() {
      deletes.seal();
      intents.seal();
    },
    forget(key) {
      const id = idOf(key);
      const count = (takeIntent(id)?.mutations ?? 0) + (takeDelete(id) ?? 0);
      mutations -= count;
      return count;
    },
    invalidate(glob, nowMs, isNew, count) {
      const present = patterns.get(glob);
      if (present && !isNew) return false;
      oldestMs = Math.min(oldestMs, nowMs);
      if (!present) bytes += byteLength(glob) + patternOverheadBytes;
      const pattern = present ?? patterns.add(glob);
      pattern.place = ++places;
      pattern.mutations += count;
      mutations += count;
      return true;
    },
  };
}

/** The latest pattern, of those up to a place, that has removed what a key was given before. */
function patternBehind({ key, place }: Intent, patterns: PatternSet, upTo?: number): DeletedPattern | undefined {
  const latest = patterns.size > 0 ? patterns.latestFor(key, upTo) : undefined;
  return latest && latest.place > place ? latest : undefined;
}
