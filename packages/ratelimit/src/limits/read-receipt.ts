import { algorithms } from "../algorithms/algorithms.ts";
import type { Receipt } from "../types.ts";

/** A receipt may come from anywhere. @throws TypeError when it is none. */
export function readReceipt(receipt: Receipt): Receipt {
  const { id, key, bornUs, algorithm, atUs, cost, limit, capacity, windowUs } = receipt;
  const isWhole = [bornUs, atUs, cost, limit, capacity, windowUs].every(
    (value) => Number.isSafeInteger(value) && value > 0,
  );
  if (typeof id === "string" && typeof key === "string" && Object.hasOwn(algorithms, algorithm) && isWhole)
    return receipt;
  throw new TypeError("Expected a receipt as a decision holds it, got something else: pass it on unchanged");
}
