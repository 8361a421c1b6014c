/** So many names may be left behind by themselves. */
const fewLeft = 16;

/**
 * A `Map` in which the same names may come and go for ever. V8 leaves what is deleted from a `Map` in its bucket
 * until the whole table is full: where 10,000 names stay and one comes and goes, each look at that one passes 10,000
 * remains of itself. So a name that goes keeps its place here, for when it comes again, until more have gone than are
 * there. Each operation takes constant time.
 *
 * @example
 * ```ts
 * import { NameMap } from "@continuum-cache/core/kit";
 *
 * const listeners = new NameMap<number>();
 * listeners.set("news", 1);
 * listeners.delete("news");
 * console.log(listeners.has("news"), listeners.size); // false 0
 * ```
 */
export class NameMap<Value extends NonNullable<unknown>, Name extends string = string> {
  /** Those that have gone hold `undefined`. */
  readonly #entries = new Map<Name, Value | undefined>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(name: Name): Value | undefined {
    return this.#entries.get(name);
  }

  has(name: Name): boolean {
    return this.#entries.get(name) !== undefined;
  }

  set(name: Name, value: Value): this {
    if (!this.has(name)) this.#size++;
    this.#entries.set(name, value);
    return this;
  }

  /** @returns whether it was there. */
  delete(name: Name): boolean {
    if (!this.has(name)) return false;
    this.#entries.set(name, undefined);
    this.#size--;
    if (this.#entries.size - this.#size > this.#size + fewLeft) this.#sweep();
    return true;
  }

  *values(): Generator<Value> {
    for (const value of this.#entries.values()) if (value !== undefined) yield value;
  }

  *[Symbol.iterator](): Generator<[Name, Value]> {
    for (const [name, value] of this.#entries) if (value !== undefined) yield [name, value];
  }

  #sweep(): void {
    for (const [name, value] of this.#entries) if (value === undefined) this.#entries.delete(name);
  }
}
