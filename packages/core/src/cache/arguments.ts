import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { CacheCallOptions } from "./call-options.ts";

/** The keys and the options of `delete`. @throws ConfigError when the keys came as an array. */
export function readDeleteArguments(
  given: readonly (string | CacheCallOptions)[],
): [keys: readonly string[], options: CacheCallOptions] {
  const last = given.at(-1);
  if (typeof last !== "object") return [given as readonly string[], {}];
  if (!Array.isArray(last)) return [given.slice(0, -1) as readonly string[], last];
  throw new ConfigError("keys", "cache.delete takes keys one by one, got an array: spread it, cache.delete(...keys)");
}

/** @throws TypeError when it is no list. */
export function assertKeyList(keys: unknown): void {
  if (!Array.isArray(keys)) throw new TypeError(`Expected a list of keys, got ${quoted(keys)}`);
}

/** The entries of `setMany`. @throws TypeError when there are none to be had. */
export function readEntries(
  entries: Readonly<Record<string, unknown>> | Iterable<readonly [key: string, value: unknown]>,
): readonly (readonly [key: string, value: unknown])[] {
  if (typeof entries !== "object" || entries === null) {
    throw new TypeError(`Expected a record of values, or pairs of key and value, got ${quoted(entries)}`);
  }
  return Symbol.iterator in entries ? [...entries] : Object.entries(entries);
}
