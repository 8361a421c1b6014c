/**
 * Marks of messages that were handed out. While the primary is away a message may be heard within this process and be stored
 * all the same, when only the answer was lost: then it comes again, with a place or without.
 */
export interface SeenTags {
  /** Whether the mark is new; from then on it is not. */
  isNew(tag: string): boolean;
}

export function createSeenTags(): SeenTags {
  const tags = createTagMap<true>();
  return {
    isNew(tag) {
      if (tags.get(tag)) return false;
      tags.set(tag, true);
      return true;
    },
  };
}

/** What is known of the messages that came last, by their marks. */
export interface TagMap<Value> {
  get(tag: string): Value | undefined;
  set(tag: string, value: Value): void;
}

/** So many of the latest are kept in mind for sure, and at most twice as many. */
const minTags = 4_096;

/** Two halves by age, of which the elder goes as a whole: to take the oldest out of a map looks past all that were before it. */
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
