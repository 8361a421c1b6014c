import { algorithms } from "../algorithms/algorithms.ts";
import type { Receipt } from "../types.ts";
import type { LimitRequest } from "./limit-request.ts";

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

/** What the refund script is given: see `limit-script`. */
export function refundArguments(request: LimitRequest, { id, atUs, bornUs }: Receipt, nowUs: number): RefundArguments {
  const { key, facts, windowUs, limit, capacity, extra, cost } = request;
  const lifeMs = Math.ceil((2 * windowUs * Math.max(1, capacity / limit)) / 1_000);
  // Where each call has a time of its own, that alone tells what is still there.
  const madeUs = facts.isExact(windowUs, limit) ? 0 : bornUs;
  return {
    keys: [key, `${key}:refund:${id}`],
    words: [nowUs, windowUs, limit, extra, atUs, cost, lifeMs, madeUs],
  };
}

interface RefundArguments {
  readonly keys: string[];
  readonly words: number[];
}
