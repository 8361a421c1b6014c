import { type Bulk, bytesOf } from "./bulk.ts";

/** Which of two bulks comes first by their bytes: below 0 the first, 0 when they are the same. */
export function compareBulks(one: Bulk, other: Bulk): number {
  if (typeof one === "string" && typeof other === "string") {
    if (one === other) return 0;
    // Characters sort like their bytes, but for halves of surrogate pairs.
    if (!surrogate.test(one) && !surrogate.test(other)) return one < other ? -1 : 1;
  }
  const [left, right] = [bytesOf(one), bytesOf(other)];
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const surrogate = /[\ud800-\udfff]/;
