import { TextMap } from "@continuum-cache/core/kit";
import { type Bulk, bulkOfId, byteLength, footprint, idOf } from "./bulk.ts";
import { createInsertionOrder, type InsertionOrder, type Page } from "./insertion-order.ts";

/** What a hash counts on top of its fields. */
const hashOverheadBytes = 128;
/** What each field counts on top of its name and value: its places in the map and in the order. */
const fieldOverheadBytes = 160;

/** A hash of at most so many fields is scanned in one step, as in Redis. */
const scannedAtOnce = 128;

/**
 * A stored hash: fields in the order in which they were added. Plain data, since there may be a million of them: only
 * the functions below touch it.
 */
export interface Hash {
  readonly type: "hash";
  readonly fields: TextMap<Bulk>;
  /** What it counts towards the limit, without key and entry. */
  bytes: number;
  /** From the time that there were more fields than are scanned at once. */
  order: FieldOrder | undefined;
}

interface FieldOrder {
  readonly numbers: TextMap<number>;
  readonly order: InsertionOrder;
}

export function createHash(): Hash {
  return { type: "hash", fields: new TextMap(), bytes: hashOverheadBytes, order: undefined };
}

export function fieldOf(hash: Hash, field: Bulk): Bulk | undefined {
  return hash.fields.get(idOf(field));
}

/** How many bytes more a hash would count with this value in this field. */
export function growthBy(hash: Hash, field: Bulk, value: Bulk): number {
  const old = fieldOf(hash, field);
  if (old !== undefined) return footprint(value) - footprint(old);
  return fieldBytes(field, value);
}

/** Sets a field. @returns whether it is new. */
export function setField(hash: Hash, field: Bulk, value: Bulk): boolean {
  const id = idOf(field);
  hash.bytes += growthBy(hash, field, value);
  const isNew = !hash.fields.has(id);
  hash.fields.set(id, value);
  if (isNew && hash.order) hash.order.numbers.set(id, hash.order.order.add(id));
  else if (hash.fields.size > scannedAtOnce) hash.order ??= orderOf(hash.fields.keys());
  return isNew;
}

export function deleteField(hash: Hash, field: Bulk): boolean {
  const id = idOf(field);
  const old = hash.fields.get(id);
  if (old === undefined) return false;
  hash.bytes -= fieldBytes(field, old);
  hash.fields.delete(id);
  if (hash.order) {
    hash.order.order.remove(hash.order.numbers.get(id) as number);
    hash.order.numbers.delete(id);
  }
  return true;
}

export function* fieldsOf(hash: Hash): Iterable<readonly [field: Bulk, value: Bulk]> {
  for (const [id, value] of hash.fields) yield [bulkOfId(id), value];
}

/** A step of HSCAN: see `InsertionOrder`. */
export function pageOf({ fields, order }: Hash, cursor: number, count: number): Page {
  if (!order || fields.size <= scannedAtOnce) return { ids: [...fields.keys()], cursor: 0 };
  return order.order.page(cursor, count);
}

function orderOf(ids: Iterable<string>): FieldOrder {
  const order = createInsertionOrder();
  const numbers = new TextMap<number>();
  for (const id of ids) numbers.set(id, order.add(id));
  return { numbers, order };
}

const fieldBytes = (field: Bulk, value: Bulk): number => fieldOverheadBytes + byteLength(field) + footprint(value);
