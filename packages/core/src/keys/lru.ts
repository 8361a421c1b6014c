import { longestHashed, TextMap } from "./text-map.ts";

/** Values by id, bounded in bytes and in number: the least recently used go first. */
export interface Lru<Value> extends Iterable<readonly [id: string, value: Value]> {
  readonly size: number;
  /** What all of them count. */
  readonly bytes: number;
  /** A value, which counts as used by it. */
  get(id: string): Value | undefined;
  /** The same, but it does not count as used. */
  peek(id: string): Value | undefined;
  /** @param bytes - What the value counts, beside `maxBytes`. @default 0 */
  set(id: string, value: Value, bytes?: number): void;
  delete(id: string): boolean;
}

export interface LruOptions<Value> {
  /** The most that all values may count. @default no limit */
  readonly maxBytes?: number | undefined;
  /** @default no limit */
  readonly maxEntries?: number | undefined;
  /** Told of each value that went: deleted, evicted, or replaced by another. */
  readonly onGone?: (value: Value, why: "deleted" | "evicted" | "replaced") => void;
}

interface Node<Value> {
  readonly id: string;
  readonly value: Value;
  readonly bytes: number;
  older: Node<Value> | undefined;
  newer: Node<Value> | undefined;
}

/**
 * So many maps share the values. A map is built anew as a whole when it grows or shrinks by half: for a million keys
 * in one map that blocks for about 40 ms, for a part of them for 3 ms.
 */
const parts = 16;

/** Which of the maps an id belongs to. It is told by about 16 of its characters. */
function partOf(id: string): number {
  const step = (id.length >>> 4) + 1;
  let hash = id.length;
  for (let at = id.length - 1; at >= 0; at -= step) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return Math.imul(hash, 0x9e3779b1) >>> 28;
}

/**
 * Makes a map by texts of any length that gives up the values that were used least recently when it is full. It takes
 * no clock and no timer: no value expires.
 *
 * @example
 * ```ts
 * import { createLru } from "@continuum-cache/core/kit";
 *
 * const sessions = createLru<{ readonly user: string }>({ maxEntries: 2 });
 * sessions.set("a", { user: "ann" });
 * sessions.set("b", { user: "bob" });
 * sessions.get("a");
 * sessions.set("c", { user: "cat" });
 * console.log(sessions.get("b"), sessions.size); // undefined 2
 * ```
 */
export function createLru<Value>(options: LruOptions<Value>): Lru<Value> {
  const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY, onGone } = options;
  const maps = Array.from({ length: parts }, () => new Map<string, Node<Value>>());
  /** Ids that a `Map` does not hash as a whole. */
  const long = new TextMap<Node<Value>>();
  let size = 0;
  let [oldest, newest]: (Node<Value> | undefined)[] = [];
  let bytes = 0;

  const mapOf = (id: string): Map<string, Node<Value>> | TextMap<Node<Value>> =>
    id.length <= longestHashed ? (maps[partOf(id)] as Map<string, Node<Value>>) : long;

  const unlink = (node: Node<Value>): void => {
    const { older, newer } = node;
    if (older) older.newer = newer;
    else oldest = newer;
    if (newer) newer.older = older;
    else newest = older;
    // Else a node that has grown old would keep its neighbors alive, and they theirs.
    node.older = undefined;
    node.newer = undefined;
  };
  const append = (node: Node<Value>): void => {
    node.older = newest;
    node.newer = undefined;
    if (newest) newest.newer = node;
    else oldest = node;
    newest = node;
  };
  const remove = (node: Node<Value>, why: "deleted" | "evicted"): void => {
    unlink(node);
    mapOf(node.id).delete(node.id);
    size--;
    bytes -= node.bytes;
    onGone?.(node.value, why);
  };

  return {
    get size() {
      return size;
    },
    get bytes() {
      return bytes;
    },
    get(id) {
      const node = mapOf(id).get(id);
      if (!node) return undefined;
      if (node !== newest) {
        unlink(node);
        append(node);
      }
      return node.value;
    },
    peek: (id) => mapOf(id).get(id)?.value,
    set(id, value, valueBytes = 0) {
      const map = mapOf(id);
      const present = map.get(id);
      if (present) {
        unlink(present);
        bytes -= present.bytes;
        onGone?.(present.value, "replaced");
      }
      const node = { id, value, bytes: valueBytes, older: undefined, newer: undefined };
      append(node);
      map.set(id, node);
      if (!present) size++;
      bytes += valueBytes;
      while (oldest && (bytes > maxBytes || size > maxEntries)) remove(oldest, "evicted");
    },
    delete(id) {
      const node = mapOf(id).get(id);
      if (node) remove(node, "deleted");
      return node !== undefined;
    },
    *[Symbol.iterator]() {
      for (const map of [...maps, long]) for (const [id, { value }] of map) yield [id, value] as const;
    },
  };
}
