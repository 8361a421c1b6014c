import { TextMap } from "@continuum-cache/core/kit";

/**
 * A map that can be copied in steps as it was when the copy began, while it goes on changing: an entry that is about to
 * change is copied first. Setting an entry moves it behind all others.
 */
export interface SnapshotMap<Value> {
  readonly size: number;
  get(id: string): Value | undefined;
  has(id: string): boolean;
  set(id: string, value: Value): void;
  delete(id: string): void;
  /** In the order in which they were set. */
  values(): Iterable<Value>;
  entries(): Iterable<readonly [id: string, value: Value]>;
  /**
   * Begins a copy. A copy that was in progress ends.
   *
   * @param copy - Called once for each entry: in their order, except for entries that change before their turn.
   */
  beginCopy(copy: Copy<Value>): void;
  /** Copies at most so many more entries. @returns whether any may be left. */
  copyMore(most: number): boolean;
  /**
   * Call when nothing changes any more: a copy then leaves the entries in place, so that others may iterate
   * meanwhile.
   */
  seal(): void;
}

type Copy<Value> = (id: string, value: Value) => void;

export function createSnapshotMap<Value>(): SnapshotMap<Value> {
  return new LayeredMap();
}

/** The copy that is in progress, if there is one. */
type Copying<Value> =
  | { readonly kind: "none" }
  | {
      readonly kind: "copying";
      readonly copy: Copy<Value>;
      readonly rest: Iterator<readonly [TextMap<Value>, string, Value]>;
    };

/** Its entries lie in layers, so that a copy that begins has to move none of them. */
class LayeredMap<Value> implements SnapshotMap<Value> {
  size = 0;
  /** Entries that were copied and have not changed since. */
  #copied = new TextMap<Value>();
  /** Entries that are not copied yet, in the order of the maps. */
  #uncopied: TextMap<Value>[] = [];
  /** Entries that were set since the copy began. */
  #changed = new TextMap<Value>();
  #copying: Copying<Value> = { kind: "none" };
  #isSealed = false;

  get(id: string): Value | undefined {
    return this.#changed.get(id) ?? this.#copied.get(id) ?? this.#uncopiedWith(id)?.get(id);
  }

  has(id: string): boolean {
    return this.#changed.has(id) || this.#copied.has(id) || this.#uncopiedWith(id) !== undefined;
  }

  set(id: string, value: Value): void {
    if (!this.#drop(id)) this.size++;
    this.#changed.set(id, value);
  }

  delete(id: string): void {
    if (this.#drop(id)) this.size--;
  }

  *values(): Iterable<Value> {
    for (const layer of this.#layers()) yield* layer.values();
  }

  *entries(): Iterable<readonly [id: string, value: Value]> {
    for (const layer of this.#layers()) yield* layer;
  }

  beginCopy(copy: Copy<Value>): void {
    if (this.#isSealed) {
      this.#copying = { kind: "copying", copy, rest: entriesIn(this.#layers()) };
      return;
    }
    this.#uncopied = this.#layers().filter(({ size }) => size > 0);
    this.#copied = new TextMap();
    this.#changed = new TextMap();
    this.#copying = { kind: "copying", copy, rest: entriesIn(this.#uncopied) };
  }

  copyMore(most: number): boolean {
    const copying = this.#copying;
    if (copying.kind === "none") return false;
    for (let left = most; left > 0; left--) {
      const { value, done } = copying.rest.next();
      if (done) {
        if (!this.#isSealed) this.#uncopied = [];
        return false;
      }
      const [layer, id, one] = value;
      copying.copy(id, one);
      if (this.#isSealed) continue;
      layer.delete(id);
      this.#copied.set(id, one);
    }
    return true;
  }

  seal(): void {
    this.#isSealed = true;
  }

  #layers(): TextMap<Value>[] {
    return this.#uncopied.length === 0
      ? [this.#copied, this.#changed]
      : [this.#copied, ...this.#uncopied, this.#changed];
  }

  #uncopiedWith(id: string): TextMap<Value> | undefined {
    return this.#uncopied.find((layer) => layer.has(id));
  }

  /** Removes an entry, after copying it if its turn has not come. @returns whether there was one. */
  #drop(id: string): boolean {
    const layer = this.#uncopiedWith(id);
    if (!layer) return this.#changed.delete(id) || this.#copied.delete(id);
    if (this.#copying.kind !== "none") this.#copying.copy(id, layer.get(id) as Value);
    return layer.delete(id);
  }
}

function* entriesIn<Value>(layers: readonly TextMap<Value>[]): Iterator<readonly [TextMap<Value>, string, Value]> {
  for (const layer of layers) for (const [id, value] of layer) yield [layer, id, value];
}
