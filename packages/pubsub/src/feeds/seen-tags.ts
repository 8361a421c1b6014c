/**
 * Marks of messages that were handed out. While the primary is away a message may be heard within this process and be stored
 * all the same, when only the answer was lost: then it comes again, with a place or without.
 */
export interface SeenTags {
  /** Whether the mark is new; from then on it is not. */
  isNew(tag: string): boolean;
}

/** The most that are kept in mind: the latest. */
const maxTags = 4_096;

export function createSeenTags(): SeenTags {
  const tags = new Set<string>();
  return {
    isNew(tag) {
      if (tags.has(tag)) return false;
      tags.add(tag);
      if (tags.size <= maxTags) return true;
      for (const oldest of tags) {
        tags.delete(oldest);
        break;
      }
      return true;
    },
  };
}
