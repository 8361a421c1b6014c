import { type Bulk, footprint } from "./bulk.ts";

/** What a list counts on top of its elements. */
const listOverheadBytes = 64;
/** What each element counts on top of its own bytes: its place and the string's header. */
const elementOverheadBytes = 32;

/** Which end of a list. */
export type End = "head" | "tail";

/**
 * A stored list: `size` elements from `head` on, around the end of a ring whose length is a power of two, so that both
 * ends cost the same however long it is. Plain data, since there may be a million of them: only the functions below
 * touch it.
 */
export interface List {
  readonly type: "list";
  ring: (Bulk | undefined)[];
  head: number;
  size: number;
  /** What it counts towards the limit, without key and entry. */
  bytes: number;
}

const smallestRing = 4;

export function createList(): List {
  return { type: "list", ring: new Array(smallestRing), head: 0, size: 0, bytes: listOverheadBytes };
}

/** What these elements count towards the limit. */
export function elementsBytes(elements: readonly Bulk[]): number {
  return elements.reduce((sum, element) => sum + elementOverheadBytes + footprint(element), 0);
}

/** The element at an index from 0. */
export function elementAt(list: List, index: number): Bulk | undefined {
  return index >= 0 && index < list.size ? list.ring[placeOf(list, index)] : undefined;
}

/** The elements from one index up to, not including, another. */
export function elementsOf(list: List, start = 0, end: number = list.size): Bulk[] {
  const elements: Bulk[] = [];
  for (let index = start; index < end; index++) elements.push(list.ring[placeOf(list, index)] as Bulk);
  return elements;
}

export function pushElement(list: List, end: End, element: Bulk): void {
  if (list.size === list.ring.length) resize(list, list.ring.length * 2);
  if (end === "head") list.head = placeOf(list, -1);
  list.ring[placeOf(list, end === "head" ? 0 : list.size)] = element;
  list.size++;
  list.bytes += elementsBytes([element]);
}

export function popElement(list: List, end: End): Bulk | undefined {
  if (list.size === 0) return undefined;
  const place = placeOf(list, end === "head" ? 0 : list.size - 1);
  const element = list.ring[place] as Bulk;
  list.ring[place] = undefined;
  if (end === "head") list.head = placeOf(list, 1);
  list.size--;
  list.bytes -= elementsBytes([element]);
  if (list.ring.length > smallestRing && list.size < list.ring.length / 4) resize(list, list.ring.length / 2);
  return element;
}

/** Puts another element in the place of one that is there. */
export function setElement(list: List, index: number, element: Bulk): void {
  const place = placeOf(list, index);
  list.bytes += footprint(element) - footprint(list.ring[place] as Bulk);
  list.ring[place] = element;
}

/** Takes other elements in place of all there are. */
export function replaceElements(list: List, elements: readonly Bulk[]): void {
  Object.assign(list, createList());
  for (const element of elements) pushElement(list, "tail", element);
}

const placeOf = ({ head, ring }: List, index: number): number => (head + index) & (ring.length - 1);

function resize(list: List, length: number): void {
  const elements: (Bulk | undefined)[] = elementsOf(list);
  elements.length = length;
  list.ring = elements;
  list.head = 0;
}
