import { type Bulk, byteLength, footprint } from "./bulk.ts";
import type { Hash } from "./hash.ts";
import type { List } from "./list.ts";
import { wrongType } from "./refusals.ts";
import type { SortedSet } from "./sorted-set.ts";
import type { Stream } from "./stream.ts";

/** A stored string. */
export interface Text {
  readonly type: "string";
  readonly bulk: Bulk;
  /** How many bytes it has, as STRLEN counts them. */
  readonly length: number;
  /** What it counts towards the limit, without key and entry. */
  readonly bytes: number;
}

/** What a key can hold. */
export type StoredValue = Text | Hash | List | SortedSet | Stream;

export function createText(bulk: Bulk): Text {
  const length = byteLength(bulk);
  return { type: "string", bulk, length, bytes: footprint(bulk, length) };
}

type ValueOf<Type extends StoredValue["type"]> = Extract<StoredValue, { type: Type }>;

/** The value, if there is one. @throws CommandError WRONGTYPE when it is of another type. */
export function expectType<Type extends StoredValue["type"]>(
  type: Type,
  value: StoredValue | undefined,
): ValueOf<Type> | undefined {
  if (value !== undefined && value.type !== type) throw wrongType();
  return value as ValueOf<Type> | undefined;
}
