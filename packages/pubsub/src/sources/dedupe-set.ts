/**
 * The tags of delivered messages. While the primary is away, a message may be heard within this process and be stored
 * as well, where only the answer was lost. Then it comes again, with a position or without.
 */
export interface DedupeSet {
  /** Adds the tag. @returns whether it was new. */
  isNew(tag: string): boolean;
}

export function createDedupeSet(): DedupeSet {
  const tags = createTagMap<true>();
  return {
    isNew(tag) {
      if (tags.get(tag)) return false;
      tags.set(tag, true);
      return true;
    },
  };
}

/** Values of the latest messages, by their tags. */
export interface TagMap<Value> {
  get(tag: string): Value | undefined;
  set(tag: string, value: Value): void;
}

/** At least so many of the latest tags are kept, and at most twice as many. */
const minTags = 4_096;

/**
 * Keeps two halves by age and drops the older one as a whole: taking the oldest entry out of a map would step over the
 * remains of all entries that were deleted before it.
 */
export function createTagMap<Value>(): TagMap<Value> {
  let early = new Map<string, Value>();
  let late = new Map<string, Value>();
  return {
    get: (tag) => late.get(tag) ?? early.get(tag),
    set(tag, value) {
      late.set(tag, value);
      if (late.size < minTags) return;
      early = late;
      late = new Map();
    },
  };
}
