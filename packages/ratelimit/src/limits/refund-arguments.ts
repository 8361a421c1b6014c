import type { Receipt } from "../types.ts";
import type { Ask } from "./ask.ts";

/** What the refund script is given: see `limit-script`. */
export function refundArguments(ask: Ask, { id, atUs, bornUs }: Receipt, nowUs: number): RefundArguments {
  const { key, facts, windowUs, limit, capacity, extra, cost } = ask;
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
