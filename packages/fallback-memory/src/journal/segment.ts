import { TextMap } from "@continuum-cache/core";
import { type Bulk, bulkOfId, byteLength, idOf } from "../values/bulk.ts";
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
  /** All other keys, but for those that are gone with a pattern. */
  intents(): Iterable<Intent>;
  intentOf(key: Bulk): Intent | undefined;
  /** What becomes of a key: `gone`: with a pattern alone. */
  stateOf(key: Bulk): "changed" | "deleted" | "gone" | "none";
  /** Whether the primary's value of a key is gone by this process's own word. */
  deletesKey(key: Bulk): boolean;
  /** Changes what is intended for a key. `isNew`: it was not there, or was only to be deleted. */
  put(key: Bulk, nowMs: number, change: (intent: Intent, isNew: boolean) => void): void;
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

/** What a key that is only to be deleted counts on top of its name: its place in the map. */
export const deleteOverheadBytes = 64;
/** What a pattern counts on top of its glob. */
export const patternOverheadBytes = 400;

export function createSegment(): Segment {
  const intents = new TextMap<Intent>();
  const deletes = new TextMap<number>();
  const patterns = createPatternSet();
  let bytes = 0;
  let mutations = 0;
  let places = 0;
  let oldestMs: number | undefined;

  /** The pattern that has removed what a key was given before. */
  const removedBy = ({ key, place }: Intent): DeletedPattern | undefined => {
    const latest = patterns.size > 0 ? patterns.latestFor(key) : undefined;
    return latest && latest.place > place ? latest : undefined;
  };
  const noteTime = (nowMs: number): void => {
    oldestMs = Math.min(oldestMs ?? nowMs, nowMs);
  };
  const liveIntent = (id: string): Intent | undefined => {
    const intent = intents.get(id);
    return intent && !removedBy(intent) ? intent : undefined;
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
    const pattern = removedBy(intent);
    if (!pattern) return intent;
    pattern.mutations += intent.mutations;
    return undefined;
  };

  return {
    get bytes() {
      return bytes;
    },
    get entries() {
      return intents.size + deletes.size + patterns.size;
    },
    get mutations() {
      return mutations;
    },
    get oldestMs() {
      return intents.size + deletes.size + patterns.size > 0 ? oldestMs : undefined;
    },
    patterns,
    *deletes() {
      for (const [id, count] of deletes) yield [bulkOfId(id), count] as const;
    },
    *intents() {
      for (const intent of intents.values()) if (!removedBy(intent)) yield intent;
    },
    intentOf: (key) => liveIntent(idOf(key)),
    stateOf,
    deletesKey(key) {
      const state = stateOf(key);
      return state === "changed" ? (liveIntent(idOf(key))?.deleted ?? true) : state !== "none";
    },
    put(key, nowMs, change) {
      noteTime(nowMs);
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
    forget(key) {
      const id = idOf(key);
      const count = (takeIntent(id)?.mutations ?? 0) + (takeDelete(id) ?? 0);
      mutations -= count;
      return count;
    },
    invalidate(glob, nowMs, isNew, count) {
      const present = patterns.get(glob);
      if (present && !isNew) return false;
      noteTime(nowMs);
      if (!present) bytes += byteLength(glob) + patternOverheadBytes;
      const pattern = present ?? patterns.add(glob);
      pattern.place = ++places;
      pattern.mutations += count;
      mutations += count;
      return true;
    },
  };
}
