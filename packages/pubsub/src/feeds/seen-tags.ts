/** Marks of messages that were handed out before they had a place. */
export interface SeenTags {
  add(tag: string): void;
  /** Whether the mark was there; it is asked for once. */
  takes(tag: string): boolean;
}

/** The most that are kept in mind: the latest. */
const maxTags = 10_000;

export function createSeenTags(): SeenTags {
  const tags = new Set<string>();
  return {
    add(tag) {
      tags.add(tag);
      if (tags.size <= maxTags) return;
      for (const oldest of tags) {
        tags.delete(oldest);
        break;
      }
    },
    takes: (tag) => tags.delete(tag),
  };
}
