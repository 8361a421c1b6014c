import { algorithms } from "../algorithms/algorithms.ts";
import type { Receipt } from "../types.ts";
import type { LimitRequest } from "./limit-request.ts";

/** Checks a receipt, which may come from anywhere. @throws TypeError when it is no receipt. */
export function readReceipt(receipt: Receipt): Receipt {
  const { id, key, bornUs, algorithm, atUs, cost, limit, capacity, windowUs } = receipt;
  const isWhole = [bornUs, atUs, cost, limit, capacity, windowUs].every(
    (value) => Number.isSafeInteger(value) && value > 0,
  );
  if (typeof id === "string" && typeof key === "string" && Object.hasOwn(algorithms, algorithm) && isWhole)
    return receipt;
  throw new TypeError("Expected a receipt as a decision holds it, got something else: pass it on unchanged");
}

/** The request that a receipt was given for. */
export function requestOf({ key, algorithm, windowUs, limit, capacity, cost }: Receipt): LimitRequest {
  const facts = algorithms[algorithm];
  const extra = facts.extra(windowUs, limit, capacity);
  return { key, algorithm, facts, scope: "", windowUs, limit, capacity, extra, cost };
}

/** The KEYS and ARGV of the refund script: see `limit-script-lua`. */
export function refundArguments(request: LimitRequest, { id, atUs, bornUs }: Receipt, nowUs: number): RefundArguments {
  const { key, facts, windowUs, limit, capacity, extra, cost } = request;
  const lifeMs = Math.ceil((2 * windowUs * Math.max(1, capacity / limit)) / 1_000);
  // Where each call has a unique time, that time alone identifies it.
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
