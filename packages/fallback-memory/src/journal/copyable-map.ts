import { TextMap } from "@continuum-cache/core/kit";

/**
 * A map whose entries can be copied bit by bit as they were when the copy began, while the map goes on changing: an entry that
 * is about to change is copied first. Setting an entry moves it behind all others.
 */
export interface CopyableMap<Value> {
  readonly size: number;
  get(id: string): Value | undefined;
  has(id: string): boolean;
  set(id: string, value: Value): void;
  delete(id: string): void;
  /** In the order in which they were set. */
  values(): Iterable<Value>;
  entries(): Iterable<readonly [id: string, value: Value]>;
  /**
   * Begins a copy, and ends one that was under way.
   *
   * @param copy - Called for each entry once, in their order, but for those that change before their turn.
   */
  beginCopy(copy: (id: string, value: Value) => void): void;
  /** Copies so many more entries. @returns whether any may be left. */
  copyMore(most: number): boolean;
  /** Nothing changes any more: from now on a copy leaves the entries where they are, also for one who reads them meanwhile. */
  seal(): void;
}

export function createCopyableMap<Value>(): CopyableMap<Value> {
  /** Entries that are not copied yet, in the order of the maps. */
  let uncopied: TextMap<Value>[] = [];
  /** Entries that were copied and have not changed since. */
  let copied = new TextMap<Value>();
  /** Entries that were set since the copy began. */
  let changed = new TextMap<Value>();
  let copyOne = (_id: string, _value: Value): void => {};
  let walk: Iterator<readonly [TextMap<Value>, string, Value]> = [].values();
  let isSealed = false;
  let size = 0;

  const maps = (): TextMap<Value>[] => (uncopied.length === 0 ? [copied, changed] : [copied, ...uncopied, changed]);
  const uncopiedWith = (id: string): TextMap<Value> | undefined => uncopied.find((map) => map.has(id));
  /** @returns whether it was there. */
  const drop = (id: string): boolean => {
    const map = uncopiedWith(id);
    if (!map) return changed.delete(id) || copied.delete(id);
    copyOne(id, map.get(id) as Value);
    return map.delete(id);
  };

  return {
    get size() {
      return size;
    },
    get: (id) => changed.get(id) ?? copied.get(id) ?? uncopiedWith(id)?.get(id),
    has: (id) => changed.has(id) || copied.has(id) || uncopiedWith(id) !== undefined,
    set(id, value) {
      if (!drop(id)) size++;
      changed.set(id, value);
    },
    delete(id) {
      if (drop(id)) size--;
    },
    *values() {
      for (const map of maps()) yield* map.values();
    },
    *entries() {
      for (const map of maps()) yield* map;
    },
    beginCopy(copy) {
      copyOne = copy;
      if (!isSealed) {
        uncopied = maps().filter(({ size }) => size > 0);
        copied = new TextMap();
        changed = new TextMap();
      }
      walk = entriesIn(isSealed ? maps() : uncopied);
    },
    copyMore(most) {
      for (let left = most; left > 0; left--) {
        const { value, done } = walk.next();
        if (done) {
          if (!isSealed) uncopied = [];
          return false;
        }
        const [map, id, one] = value;
        copyOne(id, one);
        if (isSealed) continue;
        map.delete(id);
        copied.set(id, one);
      }
      return true;
    },
    seal() {
      isSealed = true;
    },
  };
}

function* entriesIn<Value>(maps: readonly TextMap<Value>[]): Iterator<readonly [TextMap<Value>, string, Value]> {
  for (const map of maps) for (const [id, value] of map) yield [map, id, value];
}
