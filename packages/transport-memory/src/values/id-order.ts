import { compareIds, type StreamId } from "./stream-id.ts";

/**
 * Items by rising id, from `head` on; the places before it are empty. Plain data, since there may be a million of them:
 * only the functions below touch it.
 */
export interface IdOrder<Item extends { readonly id: StreamId }> {
  items: (Item | undefined)[];
  head: number;
}

export function createIdOrder<Item extends { readonly id: StreamId }>(): IdOrder<Item> {
  return { items: [], head: 0 };
}

export function countOf({ items, head }: IdOrder<{ readonly id: StreamId }>): number {
  return items.length - head;
}

export function firstOf<Item extends { readonly id: StreamId }>({ items, head }: IdOrder<Item>): Item | undefined {
  return items[head];
}

export function lastOf<Item extends { readonly id: StreamId }>({ items }: IdOrder<Item>): Item | undefined {
  return items.at(-1);
}

export function itemWith<Item extends { readonly id: StreamId }>(order: IdOrder<Item>, id: StreamId): Item | undefined {
  const item = order.items[placeOf(order, id)];
  return item && compareIds(item.id, id) === 0 ? item : undefined;
}

/** The items from one id to another, both included, at most so many; in reverse from the other end. */
export function itemsBetween<Item extends { readonly id: StreamId }>(
  order: IdOrder<Item>,
  from: StreamId,
  to: StreamId,
  { count = Number.POSITIVE_INFINITY, reverse = false }: { readonly count?: number; readonly reverse?: boolean } = {},
): Item[] {
  const [start, end] = [placeOf(order, from), placeOf(order, to, true)];
  if (!reverse) return order.items.slice(start, Math.min(end, start + count)) as Item[];
  return order.items.slice(Math.max(start, end - count), Math.max(start, end)).reverse() as Item[];
}

export function allItems<Item extends { readonly id: StreamId }>({ items, head }: IdOrder<Item>): Item[] {
  return items.slice(head) as Item[];
}

/** How many items come before an id. */
export function countBefore(order: IdOrder<{ readonly id: StreamId }>, id: StreamId): number {
  return placeOf(order, id) - order.head;
}

/** @param item - Its id must not be there yet. */
export function insertItem<Item extends { readonly id: StreamId }>(order: IdOrder<Item>, item: Item): void {
  const place = placeOf(order, item.id);
  if (place === order.items.length) order.items.push(item);
  else order.items.splice(place, 0, item);
}

export function removeItem<Item extends { readonly id: StreamId }>(
  order: IdOrder<Item>,
  id: StreamId,
): Item | undefined {
  const { items, head } = order;
  const place = placeOf(order, id);
  const item = items[place];
  if (!item || compareIds(item.id, id) !== 0) return undefined;
  if (place - head > items.length - place) {
    items.splice(place, 1);
  } else {
    // A queue is mostly taken from near its head, however long it is.
    items.copyWithin(head + 1, head, place);
    dropFirst(order, 1);
  }
  return item;
}

/** Takes the first so many, of which there must be as many. */
export function dropFirst<Item extends { readonly id: StreamId }>(order: IdOrder<Item>, count: number): void {
  order.items.fill(undefined, order.head, order.head + count);
  order.head += count;
  // Empty places are closed once they are half of all, so that taking one is cheap on average.
  if (order.head * 2 < order.items.length) return;
  order.items = order.items.slice(order.head);
  order.head = 0;
}

/** Where the first item stands that is not before an id (or, `behind` it, that is after it). */
function placeOf({ items, head }: IdOrder<{ readonly id: StreamId }>, id: StreamId, behind = false): number {
  let [low, high] = [head, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareIds((items[middle] as { readonly id: StreamId }).id, id);
    if (order < 0 || (behind && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}
