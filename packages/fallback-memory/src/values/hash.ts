import { type Bulk, bulkOfId, byteLength, idOf } from "./bulk.ts";
import { createInsertionOrder, type Page } from "./insertion-order.ts";

/** What each field counts on top of its name and value: the map's, the order's and the strings' own bookkeeping. */
export const fieldOverheadBytes = 112;

/** A stored hash: fields in the order in which they were added. */
export interface Hash {
  readonly type: "hash";
  readonly size: number;
  /** What it counts towards the limit, without key and entry. */
  readonly bytes: number;
  get(field: Bulk): Bulk | undefined;
  has(field: Bulk): boolean;
  /** How many bytes the field's value has; 0 without one. */
  lengthOf(field: Bulk): number;
  /** How many bytes more the hash would count with this value in this field. */
  growth(field: Bulk, value: Bulk): number;
  /** Sets a field, and tells whether it is new. */
  set(field: Bulk, value: Bulk): boolean;
  delete(field: Bulk): boolean;
  entries(): Iterable<readonly [field: Bulk, value: Bulk]>;
  /** A step of HSCAN. */
  page(cursor: number, count: number): Page;
}

export function createHash(): Hash {
  const fields = new Map<string, { readonly value: Bulk; readonly number: number }>();
  const order = createInsertionOrder();
  let bytes = 0;

  const growth: Hash["growth"] = (field, value) => {
    const old = fields.get(idOf(field));
    return old ? byteLength(value) - byteLength(old.value) : fieldOverheadBytes + byteLength(field) + byteLength(value);
  };

  return {
    type: "hash",
    get size() {
      return fields.size;
    },
    get bytes() {
      return bytes;
    },
    get: (field) => fields.get(idOf(field))?.value,
    has: (field) => fields.has(idOf(field)),
    lengthOf: (field) => byteLength(fields.get(idOf(field))?.value ?? ""),
    growth,
    set(field, value) {
      bytes += growth(field, value);
      const id = idOf(field);
      const old = fields.get(id);
      fields.set(id, { value, number: old?.number ?? order.add(id) });
      return old === undefined;
    },
    delete(field) {
      const id = idOf(field);
      const old = fields.get(id);
      if (!old) return false;
      bytes -= fieldOverheadBytes + byteLength(field) + byteLength(old.value);
      order.remove(old.number);
      return fields.delete(id);
    },
    *entries() {
      for (const [id, { value }] of fields) yield [bulkOfId(id), value];
    },
    page: order.page,
  };
}
