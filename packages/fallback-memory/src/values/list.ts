import { type Bulk, byteLength } from "./bulk.ts";

/** What each element counts on top of its own bytes: its place and the string's header. */
export const elementOverheadBytes = 32;

/** Which end of a list. */
export type End = "head" | "tail";

/** A stored list: both ends cost the same however long it is. */
export interface List {
  readonly type: "list";
  readonly size: number;
  /** What it counts towards the limit, without key and entry. */
  readonly bytes: number;
  /** The element at an index from 0. */
  at(index: number): Bulk | undefined;
  push(end: End, element: Bulk): void;
  pop(end: End): Bulk | undefined;
  set(index: number, element: Bulk): void;
  /** The elements from one index up to, not including, another. */
  slice(start: number, end: number): Bulk[];
  /** Takes other elements in place of all there are. */
  replace(elements: readonly Bulk[]): void;
}

/** What these elements count towards the limit. */
export function elementsBytes(elements: readonly Bulk[]): number {
  return elements.reduce((sum, element) => sum + elementOverheadBytes + byteLength(element), 0);
}

const smallestRing = 8;

/** A ring: `size` elements from `head` on, around the end of an array whose length is a power of two. */
export function createList(): List {
  let ring: (Bulk | undefined)[] = new Array(smallestRing);
  let head = 0;
  let size = 0;
  let bytes = 0;

  const place = (index: number): number => (head + index) & (ring.length - 1);
  const resize = (length: number): void => {
    const elements = slice(0, size) as (Bulk | undefined)[];
    elements.length = length;
    ring = elements;
    head = 0;
  };
  const slice: List["slice"] = (start, end) => {
    const elements: Bulk[] = [];
    for (let index = start; index < end; index++) elements.push(ring[place(index)] as Bulk);
    return elements;
  };
  const push: List["push"] = (end, element) => {
    if (size === ring.length) resize(ring.length * 2);
    if (end === "head") head = place(-1);
    ring[place(end === "head" ? 0 : size)] = element;
    size++;
    bytes += elementOverheadBytes + byteLength(element);
  };

  return {
    type: "list",
    get size() {
      return size;
    },
    get bytes() {
      return bytes;
    },
    at: (index) => (index >= 0 && index < size ? ring[place(index)] : undefined),
    push,
    pop(end) {
      if (size === 0) return undefined;
      const from = place(end === "head" ? 0 : size - 1);
      const element = ring[from] as Bulk;
      ring[from] = undefined;
      if (end === "head") head = place(1);
      size--;
      bytes -= elementOverheadBytes + byteLength(element);
      if (ring.length > smallestRing && size < ring.length / 4) resize(ring.length / 2);
      return element;
    },
    set(index, element) {
      bytes += byteLength(element) - byteLength(ring[place(index)] as Bulk);
      ring[place(index)] = element;
    },
    slice,
    replace(elements) {
      ring = new Array(smallestRing);
      head = 0;
      size = 0;
      bytes = 0;
      for (const element of elements) push("tail", element);
    },
  };
}
