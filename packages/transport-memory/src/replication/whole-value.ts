import { type Entry, never } from "../keyspace/keyspace.ts";
import type { Bulk } from "../values/bulk.ts";
import { fieldsOf } from "../values/hash.ts";
import { elementsOf } from "../values/list.ts";
import type { StoredValue } from "../values/stored-value.ts";
import type { KeyWrite } from "./canonical-write.ts";
import { wholeSortedSet } from "./sorted-set-writes.ts";
import { sizeOfWhole, wholeStream } from "./stream-writes.ts";

/** The writes that make an entry under a key that does not exist. */
export function wholeOf(key: Bulk, { value, expiresAtMs }: Entry): KeyWrite[] {
  if (value.type === "string") return [{ kind: "set", key, value: value.bulk, expiresAtMs, keepTtl: false }];
  const contents = contentsOf(key, value);
  return expiresAtMs === never ? contents : [...contents, { kind: "expire", key, expiresAtMs }];
}

function contentsOf(key: Bulk, value: Exclude<StoredValue, { type: "string" }>): KeyWrite[] {
  if (value.type === "list") return [{ kind: "push", key, end: "tail", items: elementsOf(value) }];
  if (value.type === "stream") return wholeStream(key, value);
  if (value.type === "zset") return wholeSortedSet(key, value);
  return [{ kind: "change", key, name: "HSET", args: [...fieldsOf(value)].flat() }];
}

/** From this many changes on, the whole value is kept in their place. */
const mostChanges = 64;

/** Whether to keep the whole value in the place of so many changes that led to it. */
export function isWholeShorter({ value }: Entry, changes: number): boolean {
  if (value.type === "stream") return changes >= mostChanges && changes > 2 * sizeOfWhole(value);
  return value.type === "list" || changes >= mostChanges;
}
