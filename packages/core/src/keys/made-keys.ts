import type { KeyFamily } from "./key-pattern.ts";
import { TextMap } from "./text-map.ts";

/** The pattern behind a key. */
export interface MadeKeys {
  /** Whether a key was made whose pattern has tags or a schema: then it takes more to read and write values. */
  readonly needMore: boolean;
  /** Remembers that this family has made this key. */
  add(key: string, family: KeyFamily): void;
  /** The family that has made this key; `undefined` for a plain string. */
  familyOf(key: string): KeyFamily | undefined;
}

/**
 * Remembers which keys were made by a pattern. A key is a plain string, which can carry nothing, so the text stands
 * for it: a string that equals a key which this process has made is that key, however its text came about.
 *
 * It takes bounded memory: of a family that has made more keys than fit, every key of its template counts as made. So
 * a key that was made always has its family; it is only for such a family that a plain string may be taken for one of
 * its keys.
 */
export function createMadeKeys(maxCharacters: number, maxFamilies: number): MadeKeys {
  // Two generations of half the size: dropping one is cheaper by far than dropping single keys of a Map from its start.
  let latest = new TextMap<KeyFamily>();
  let earlier = new TextMap<KeyFamily>();
  let latestCharacters = 0;
  /** Families of which a key was forgotten. */
  const forgotten = new Set<KeyFamily>();
  const dropEarlier = (): void => {
    for (const [key, family] of earlier) if (!latest.has(key)) forgotten.add(family);
    for (const family of forgotten) {
      if (forgotten.size <= maxFamilies) break;
      // Without its family a key would lose its tags: an invalidation would not reach its value.
      if (!needsMore(family)) forgotten.delete(family);
    }
    earlier = latest;
    latest = new TextMap();
    latestCharacters = 0;
  };
  const made = {
    // A field, since every read looks at it.
    needMore: false,
    add(key: string, family: KeyFamily) {
      const hasMore = needsMore(family);
      if (hasMore) made.needMore = true;
      // A family that says nothing of its keys needs no memory; and what it makes is not another family's any more.
      if (family.ttlMs === undefined && !hasMore) {
        if (latest.size > 0) latest.delete(key);
        if (earlier.size > 0) earlier.delete(key);
        return;
      }
      if (!latest.has(key)) latestCharacters += key.length + placeCharacters;
      latest.set(key, family);
      if (2 * latestCharacters >= maxCharacters) dropEarlier();
    },
    familyOf(key: string) {
      const family = latest.get(key) ?? earlier.get(key);
      if (family) return family;
      for (const candidate of forgotten) if (candidate.parse(key)) return candidate;
      return undefined;
    },
  };
  return made;
}

/** Whether it takes more to read and write the values of a family: it has tags, or a schema. */
export const needsMore = (family: KeyFamily | undefined): boolean =>
  family?.schema !== undefined || family?.tagsOf !== undefined;

/** What a key takes besides its text, in characters. */
const placeCharacters = 60;

/** The keys that the patterns of this process have made, the latest 40,000 or so: 8 MiB at most. */
export const madeKeys: MadeKeys = createMadeKeys(4 << 20, 100);
