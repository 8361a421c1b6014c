/** What caches tell each other through the log. Keys and globs are without any cache's prefix. */
export type CacheChange = KeysDeleted | Invalidated | ValueSet;

export interface KeysDeleted {
  readonly type: "fed.delete";
  readonly keys: readonly string[];
  /** With values: when each was deleted, as a stamp. */
  readonly at?: readonly number[];
}

export interface Invalidated {
  readonly type: "fed.invalidate";
  /** Absent: everything in scope. */
  readonly globs?: readonly string[];
  readonly at?: number;
}

export interface ValueSet {
  readonly type: "fed.set";
  readonly key: string;
  /** As `toMessageText` of what the codec wrote. */
  readonly value: string;
  /** When it ends, in ms since 1970; absent: never. */
  readonly endMs?: number;
  readonly at: number;
}

/** `undefined` for what is none: others may write to the same log. */
export function readCacheChange(event: unknown): CacheChange | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  const { type, keys, globs, key, value, endMs, at } = event as Record<string, unknown>;
  switch (type) {
    case "fed.delete":
      if (!isListOf(keys, isText)) return undefined;
      if (at === undefined) return { type, keys };
      return isListOf(at, isStamp) && at.length === keys.length ? { type, keys, at } : undefined;
    case "fed.invalidate": {
      if (globs !== undefined && !isListOf(globs, isText)) return undefined;
      const what = globs === undefined ? { type } : { type, globs };
      if (at === undefined) return what;
      return isStamp(at) ? { ...what, at } : undefined;
    }
    case "fed.set":
      if (!isText(key) || typeof value !== "string" || !isStamp(at)) return undefined;
      if (endMs === undefined) return { type, key, value, at };
      return isStamp(endMs) ? { type, key, value, endMs, at } : undefined;
    default:
      return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isStamp = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf = <T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isOne);
