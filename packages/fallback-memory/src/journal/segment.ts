import { type Bulk, bulkOfId, byteLength, idOf } from "@continuum-cache/transport-memory/kit";
import { createPatternSet, type DeletedPattern, type PatternSet } from "./pattern-set.ts";
import { createPendingChange, isBareDelete, type PendingChange } from "./pending-change.ts";
import { createSnapshotMap } from "./snapshot-map.ts";

/**
 * Pending changes by key, and deleted patterns. Patterns are replayed before the changes of all keys: what a matching
 * key was given before the pattern is gone, and is not replayed. A key that is only deleted takes few bytes, so that
 * a million of them fit.
 */
export interface Segment {
  readonly bytes: number;
  /** The number of keys and patterns. */
  readonly entries: number;
  /** How many mutations the entries stand for. */
  readonly mutations: number;
  /** When the oldest entry came, in milliseconds since 1970. */
  readonly oldestMs: number | undefined;
  readonly patterns: Omit<PatternSet, "add">;
  /** The keys that are only deleted, and how many mutations each stands for. */
  deletes(): Iterable<readonly [key: Bulk, mutations: number]>;
  /** The changes of all other keys; `undefined` in the place of a key that a pattern has deleted. */
  changes(): Iterable<PendingChange | undefined>;
  changeOf(key: Bulk): PendingChange | undefined;
  /** What happens to a key. `gone`: a pattern deletes it, and nothing else happens to it. */
  stateOf(key: Bulk): "changed" | "deleted" | "gone" | "none";
  /** Whether this process has deleted the primary's value of a key. */
  deletesKey(key: Bulk): boolean;
  /** Lets `update` modify the pending change of a key. `isNew`: there was none, or the key was only deleted. */
  put(key: Bulk, nowMs: number, update: (change: PendingChange, isNew: boolean) => void): void;
  /**
   * Begins a copy of all deletes and changes as they are now. A copy that was in progress ends.
   *
   * @returns a function that copies so many more keys, and says whether any may be left. A change that is about to be
   * modified is copied first.
   */
  beginCopy(copy: SegmentCopy): (keys: number) => boolean;
  /** Call when nothing changes any more. */
  seal(): void;
  /** Drops the pending change of a key. @returns how many mutations it stood for. */
  forget(key: Bulk): number;
  /**
   * Adds a pattern.
   *
   * @param isNew - Whether the pattern deletes the changes of matching keys until now, also if it was added before.
   * @returns whether that changed anything.
   */
  invalidate(glob: string, nowMs: number, isNew: boolean, count: number): boolean;
}

/** Receives what is copied. */
export interface SegmentCopy {
  deleted(key: Bulk, mutations: number): void;
  /** The change may be modified after the call. */
  changed(change: PendingChange): void;
}

/** What a key that is only deleted counts on top of its name: its place in the map. */
export const deleteOverheadBytes = 64;
/** What a pattern counts on top of its glob. */
export const patternOverheadBytes = 400;

export function createSegment(): Segment {
  return new ChangesByKey();
}

class ChangesByKey implements Segment {
  bytes = 0;
  mutations = 0;
  readonly patterns: PatternSet = createPatternSet();
  readonly #changes = createSnapshotMap<PendingChange>();
  readonly #deletes = createSnapshotMap<number>();
  /** The position of the latest change or pattern in the order of all. */
  #places = 0;
  #oldestMs = Number.POSITIVE_INFINITY;

  get entries(): number {
    return this.#changes.size + this.#deletes.size + this.patterns.size;
  }

  get oldestMs(): number | undefined {
    return this.entries > 0 ? this.#oldestMs : undefined;
  }

  *deletes(): Iterable<readonly [key: Bulk, mutations: number]> {
    for (const [id, count] of this.#deletes.entries()) yield [bulkOfId(id), count] as const;
  }

  *changes(): Iterable<PendingChange | undefined> {
    for (const change of this.#changes.values()) yield patternAfter(change, this.patterns) ? undefined : change;
  }

  changeOf(key: Bulk): PendingChange | undefined {
    const change = this.#changes.get(idOf(key));
    return change && !patternAfter(change, this.patterns) ? change : undefined;
  }

  stateOf(key: Bulk): "changed" | "deleted" | "gone" | "none" {
    const id = idOf(key);
    if (this.#changes.has(id)) return "changed";
    if (this.#deletes.has(id)) return "deleted";
    return this.patterns.latestFor(key) ? "gone" : "none";
  }

  deletesKey(key: Bulk): boolean {
    const state = this.stateOf(key);
    return state === "changed" ? (this.changeOf(key)?.deleted ?? true) : state !== "none";
  }

  put(key: Bulk, nowMs: number, update: (change: PendingChange, isNew: boolean) => void): void {
    this.#oldestMs = Math.min(this.#oldestMs, nowMs);
    const id = idOf(key);
    let change = this.#takeChange(id);
    const isNew = change === undefined;
    const before = change?.mutations ?? 0;
    const deleted = this.#takeDelete(id);
    const pattern = this.patterns.latestFor(key);
    // A key that a pattern deletes is known to be gone.
    change ??= Object.assign(createPendingChange(key, nowMs, ++this.#places), {
      mutations: deleted ?? 0,
      deleted: deleted !== undefined || pattern !== undefined,
    });
    update(change, isNew);
    this.mutations += change.mutations - (isNew ? (deleted ?? 0) : before);
    if (!isBareDelete(change)) {
      this.#changes.set(id, change);
      this.bytes += change.bytes;
    } else if (pattern) {
      pattern.mutations += change.mutations;
    } else {
      this.#deletes.set(id, change.mutations);
      this.bytes += byteLength(key) + deleteOverheadBytes;
    }
  }

  beginCopy(copy: SegmentCopy): (keys: number) => boolean {
    const upTo = this.#places;
    this.#deletes.beginCopy((id, count) => copy.deleted(bulkOfId(id), count));
    this.#changes.beginCopy((_, change) => {
      if (!patternAfter(change, this.patterns, upTo)) copy.changed(change);
    });
    return (keys) => this.#deletes.copyMore(keys) || this.#changes.copyMore(keys);
  }

  seal(): void {
    this.#deletes.seal();
    this.#changes.seal();
  }

  forget(key: Bulk): number {
    const id = idOf(key);
    const count = (this.#takeChange(id)?.mutations ?? 0) + (this.#takeDelete(id) ?? 0);
    this.mutations -= count;
    return count;
  }

  invalidate(glob: string, nowMs: number, isNew: boolean, count: number): boolean {
    const present = this.patterns.get(glob);
    if (present && !isNew) return false;
    this.#oldestMs = Math.min(this.#oldestMs, nowMs);
    if (!present) this.bytes += byteLength(glob) + patternOverheadBytes;
    const pattern = present ?? this.patterns.add(glob);
    pattern.place = ++this.#places;
    pattern.mutations += count;
    this.mutations += count;
    return true;
  }

  #takeDelete(id: string): number | undefined {
    const count = this.#deletes.get(id);
    if (count === undefined) return undefined;
    this.#deletes.delete(id);
    this.bytes -= byteLength(bulkOfId(id)) + deleteOverheadBytes;
    return count;
  }

  /** Takes a change out. The mutations of one that a pattern has deleted go to the pattern. */
  #takeChange(id: string): PendingChange | undefined {
    const change = this.#changes.get(id);
    if (!change) return undefined;
    this.#changes.delete(id);
    this.bytes -= change.bytes;
    const pattern = patternAfter(change, this.patterns);
    if (!pattern) return change;
    pattern.mutations += change.mutations;
    return undefined;
  }
}

/** The latest pattern, of those up to a place, that came after a change and matches its key. */
function patternAfter({ key, place }: PendingChange, patterns: PatternSet, upTo?: number): DeletedPattern | undefined {
  const latest = patterns.size > 0 ? patterns.latestFor(key, upTo) : undefined;
  return latest && latest.place > place ? latest : undefined;
}
