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

/** The most that are kept in mind: the latest. */
const maxTags = 4_096;

export function createTagMap<Value>(): TagMap<Value> {
  const values = new Map<string, Value>();
  return {
    get: (tag) => values.get(tag),
    set(tag, value) {
      values.set(tag, value);
      if (values.size <= maxTags) return;
      for (const oldest of values.keys()) {
        values.delete(oldest);
        break;
      }
    },
  };
}
