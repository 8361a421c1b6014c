import { compileGlob, prefixOfGlob, TextMap } from "@continuum-cache/core/kit";
import type { Bulk } from "@continuum-cache/transport-memory/kit";

/** A pattern whose keys the primary has to delete, exactly as a caller passed it. */
export interface DeletedPattern {
  readonly glob: string;
  readonly matches: (key: Bulk) => boolean;
  /** Its position in the order of all changes of the segment: earlier changes of matching keys are gone. */
  place: number;
  /** How many mutations it stands for, including those of the changes that it has deleted. */
  mutations: number;
}

/** Patterns, found by a key that they match without looking at all patterns. */
export interface PatternSet {
  readonly size: number;
  get(glob: string): DeletedPattern | undefined;
  /** @returns The pattern that is there now. */
  add(glob: string): DeletedPattern;
  /** The latest of the patterns that match a key. @param upTo - Leaves out those with a later place. */
  latestFor(key: Bulk, upTo?: number): DeletedPattern | undefined;
  values(): Iterable<DeletedPattern>;
}

export function createPatternSet(): PatternSet {
  const patterns = new TextMap<DeletedPattern>();
  // By key prefix: the text that each matching key begins with.
  const byPrefix = new TextMap<DeletedPattern[]>();
  const prefixLengths = new Set<number>();

  const candidatesFor = function* (key: Bulk): Iterable<DeletedPattern> {
    if (typeof key !== "string") return yield* patterns.values();
    for (const length of prefixLengths) {
      if (length <= key.length) yield* byPrefix.get(key.slice(0, length)) ?? [];
    }
  };

  return {
    get size() {
      return patterns.size;
    },
    get: (glob) => patterns.get(glob),
    add(glob) {
      const pattern = { glob, matches: compileGlob(glob), place: 0, mutations: 0 };
      const prefix = prefixOfGlob(glob);
      patterns.set(glob, pattern);
      prefixLengths.add(prefix.length);
      const alike = byPrefix.get(prefix);
      if (alike) alike.push(pattern);
      else byPrefix.set(prefix, [pattern]);
      return pattern;
    },
    latestFor(key, upTo = Number.POSITIVE_INFINITY) {
      let latest: DeletedPattern | undefined;
      for (const candidate of candidatesFor(key)) {
        const { place } = candidate;
        if (place <= upTo && place > (latest?.place ?? 0) && candidate.matches(key)) latest = candidate;
      }
      return latest;
    },
    values: () => patterns.values(),
  };
}
