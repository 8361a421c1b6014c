import { tickEnd } from "./platform.ts";

/** What may go together. */
export interface ChunkLimits<Item> {
  /** So many items. */
  readonly items: number;
  /** Items of so much in all; a larger one goes alone. @default no limit */
  readonly size?: number;
  /** How much an item counts for `size`. */
  readonly sizeOf?: (item: Item) => number;
  /** Whether an item may go with a part that begins with `first`. @default always */
  readonly isAlike?: (first: Item, item: Item) => boolean;
}

/** Collects what one tick adds, and hands it on together at the end of the tick. */
export interface TickBatch<Item> {
  add(item: Item): void;
  /** Hands on what was added so far. What comes after it must not overtake it. */
  flush(): void;
}

/**
 * What was added waits for the end of its tick. What waits for longer may have lost it: on the edge a request can end
 * anywhere.
 */
const longTickMs = 10;

/**
 * Collects the items of a tick.
 *
 * @param limits - What is handed on at once; more goes in several parts, in order.
 * @param handOn - Called with at least one item. It may not throw.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { createTickBatch } from "@continuum-cache/core/kit";
 *
 * function counter(transport: Transport): (name: string) => void {
 *   const tick = createTickBatch<string>({ items: 100 }, (names) => {
 *     void transport.send(names.map((name) => ["INCR", name])).catch(console.error);
 *   });
 *   return tick.add;
 * }
 * ```
 */
export function createTickBatch<Item>(
  limits: ChunkLimits<Item>,
  handOn: (items: readonly Item[]) => void,
): TickBatch<Item> {
  const atTickEnd = tickEnd();
  let items: Item[] = [];
  let scheduledMs = Number.NEGATIVE_INFINITY;

  const flush = (): void => {
    const all = items;
    items = [];
    for (const part of chunked(all, limits)) handOn(part);
  };

  return {
    flush,
    add(item) {
      items.push(item);
      const nowMs = performance.now();
      if (items.length > 1 && nowMs - scheduledMs < longTickMs) return;
      scheduledMs = nowMs;
      atTickEnd(flush);
    },
  };
}

/**
 * Cuts a list into parts that may go together, in order.
 *
 * @example
 * ```ts
 * import { chunked } from "@continuum-cache/core/kit";
 *
 * chunked(["a", "b", "c"], { items: 2 }); // [["a", "b"], ["c"]]
 * ```
 */
export function chunked<Item>(
  all: readonly Item[],
  { items, size = Number.POSITIVE_INFINITY, sizeOf = noSize, isAlike = always }: ChunkLimits<Item>,
): (readonly Item[])[] {
  const parts: (readonly Item[])[] = [];
  let from = 0;
  let held = 0;
  for (let at = 0; at < all.length; at++) {
    const item = all[at] as Item;
    const own = sizeOf(item);
    held += own;
    if (at === from || (at - from < items && held <= size && isAlike(all[from] as Item, item))) continue;
    parts.push(all.slice(from, at));
    from = at;
    held = own;
  }
  if (all.length > from) parts.push(from === 0 ? all : all.slice(from));
  return parts;
}

const noSize = (): number => 0;
const always = (): boolean => true;
