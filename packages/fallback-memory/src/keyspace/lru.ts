import { TextMap } from "@continuum-cache/core";

/** Values by id, bounded in bytes and in number: the least recently used go first. */
export interface Lru<Value> extends Iterable<readonly [id: string, value: Value]> {
  readonly size: number;
  /** What all of them count. */
  readonly bytes: number;
  /** A value, which counts as used by it. */
  get(id: string): Value | undefined;
  peek(id: string): Value | undefined;
  set(id: string, value: Value, bytes: number): void;
  delete(id: string): boolean;
}

export interface LruOptions<Value> {
  readonly maxBytes: number;
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

export function createLru<Value>(options: LruOptions<Value>): Lru<Value> {
  const { maxBytes, maxEntries = Number.POSITIVE_INFINITY, onGone } = options;
  const nodes = new TextMap<Node<Value>>();
  let [oldest, newest]: (Node<Value> | undefined)[] = [];
  let bytes = 0;

  const unlink = ({ older, newer }: Node<Value>): void => {
    if (older) older.newer = newer;
    else oldest = newer;
    if (newer) newer.older = older;
    else newest = older;
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
    nodes.delete(node.id);
    bytes -= node.bytes;
    onGone?.(node.value, why);
  };

  return {
    get size() {
      return nodes.size;
    },
    get bytes() {
      return bytes;
    },
    get(id) {
      const node = nodes.get(id);
      if (!node) return undefined;
      if (node !== newest) {
        unlink(node);
        append(node);
      }
      return node.value;
    },
    peek: (id) => nodes.get(id)?.value,
    set(id, value, size) {
      const present = nodes.get(id);
      if (present) {
        unlink(present);
        bytes -= present.bytes;
        onGone?.(present.value, "replaced");
      }
      const node = { id, value, bytes: size, older: undefined, newer: undefined };
      append(node);
      nodes.set(id, node);
      bytes += size;
      while (oldest && (bytes > maxBytes || nodes.size > maxEntries)) remove(oldest, "evicted");
    },
    delete(id) {
      const node = nodes.get(id);
      if (node) remove(node, "deleted");
      return node !== undefined;
    },
    *[Symbol.iterator]() {
      for (const [id, { value }] of nodes) yield [id, value] as const;
    },
  };
}
