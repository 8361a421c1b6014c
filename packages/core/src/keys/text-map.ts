/**
 * V8 hashes a string of more characters by its length alone, so all longer strings of one length fall into one bucket
 * of a `Map`.
 */
export const longestHashed = 16_383;

/** One step on the way to a long key: what the key holds that ends here, and where its next part leads. */
interface Node<Value> {
  leaf?: { readonly key: string; value: Value };
  next?: Map<string, Node<Value>>;
}

/**
 * A `Map` by texts of any length, in which hostile keys can't collide: each operation takes time proportional to the
 * length of its key. Iterates over the keys of up to 16,383 characters first, then over the longer ones, each in the
 * order of insertion.
 *
 * @example
 * ```ts
 * import { TextMap } from "@continuum-cache/core/kit";
 *
 * const sizes = new TextMap<number>();
 * sizes.set("k".repeat(20_000), 1);
 * console.log(sizes.get("k".repeat(20_000)), sizes.size); // 1 1
 * ```
 */
export class TextMap<Value> {
  readonly #short = new Map<string, Value>();
  /** By the first part of their keys. */
  readonly #long = new Map<string, Node<Value>>();
  /** All leaves, so that iterating needs no walk through the parts. */
  readonly #leaves = new Set<{ readonly key: string; value: Value }>();

  get size(): number {
    return this.#short.size + this.#leaves.size;
  }

  get(key: string): Value | undefined {
    return key.length <= longestHashed ? this.#short.get(key) : this.#path(key)?.at(-1)?.[2].leaf?.value;
  }

  has(key: string): boolean {
    return key.length <= longestHashed ? this.#short.has(key) : this.#path(key)?.at(-1)?.[2].leaf !== undefined;
  }

  set(key: string, value: Value): this {
    if (key.length <= longestHashed) {
      this.#short.set(key, value);
      return this;
    }
    let level = this.#long;
    let node: Node<Value> = {};
    for (const part of partsOf(key)) {
      node = level.get(part) ?? {};
      level.set(part, node);
      node.next ??= new Map();
      level = node.next;
    }
    if (node.leaf) node.leaf.value = value;
    else {
      node.leaf = { key, value };
      this.#leaves.add(node.leaf);
    }
    return this;
  }

  delete(key: string): boolean {
    if (key.length <= longestHashed) return this.#short.delete(key);
    const path = this.#path(key) ?? [];
    const node = path.at(-1)?.[2];
    if (!node?.leaf) return false;
    this.#leaves.delete(node.leaf);
    delete node.leaf;
    for (const [level, part, { leaf, next }] of path.reverse()) {
      if (leaf || (next && next.size > 0)) break;
      level.delete(part);
    }
    return true;
  }

  clear(): void {
    this.#short.clear();
    this.#long.clear();
    this.#leaves.clear();
  }

  *keys(): Generator<string> {
    yield* this.#short.keys();
    for (const { key } of this.#leaves) yield key;
  }

  *values(): Generator<Value> {
    yield* this.#short.values();
    for (const { value } of this.#leaves) yield value;
  }

  *[Symbol.iterator](): Generator<[string, Value]> {
    yield* this.#short;
    for (const { key, value } of this.#leaves) yield [key, value];
  }

  /**
   * The nodes on the way to a long key, each with the map that holds it; undefined when the way ends before the key
   * does.
   */
  #path(key: string): [level: Map<string, Node<Value>>, part: string, node: Node<Value>][] | undefined {
    const path: [Map<string, Node<Value>>, string, Node<Value>][] = [];
    let level: Map<string, Node<Value>> | undefined = this.#long;
    for (const part of partsOf(key)) {
      const node: Node<Value> | undefined = level?.get(part);
      if (!level || !node) return undefined;
      path.push([level, part, node]);
      level = node.next;
    }
    return path;
  }
}

function* partsOf(key: string): Generator<string> {
  for (let at = 0; at < key.length; at += longestHashed) yield key.slice(at, at + longestHashed);
}
