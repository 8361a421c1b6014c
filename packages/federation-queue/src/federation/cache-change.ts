/** The events of a federation's log. Their keys and globs have no cache's prefix. */
export type CacheChange = KeysDeleted | Invalidated | ValueSet;

export interface KeysDeleted {
  readonly type: "fed.delete";
  readonly keys: readonly string[];
  /** With values: when each was deleted, as hybrid timestamps. */
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
  /** `toMessageText` of what the codec wrote. */
  readonly value: string;
  /** Its expiry, in ms since 1970; absent: never. */
  readonly endMs?: number;
  readonly at: number;
}

/** `undefined` for any other event: other programs may write to the same log. */
export function readCacheChange(event: unknown): CacheChange | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  const { type, keys, globs, key, value, endMs, at } = event as Record<string, unknown>;
  switch (type) {
    case "fed.delete":
      if (!isListOf(keys, isText)) return undefined;
      if (at === undefined) return { type, keys };
      return isListOf(at, isTimestamp) && at.length === keys.length ? { type, keys, at } : undefined;
    case "fed.invalidate": {
      if (globs !== undefined && !isListOf(globs, isText)) return undefined;
      const what = globs === undefined ? { type } : { type, globs };
      if (at === undefined) return what;
      return isTimestamp(at) ? { ...what, at } : undefined;
    }
    case "fed.set":
      if (!isText(key) || typeof value !== "string" || !isTimestamp(at)) return undefined;
      if (endMs === undefined) return { type, key, value, at };
      return isTimestamp(endMs) ? { type, key, value, endMs, at } : undefined;
    default:
      return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isTimestamp = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf = <T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] =>
  Array.isArray(value) && value.every(isOne);
