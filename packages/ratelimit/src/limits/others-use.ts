import type { Ask } from "../ask.ts";
import { owedTokens } from "./seeds.ts";
import type { Verdict } from "./verdict.ts";

/** What others have used of a key between two looks of this process at it, as far as it can be told. */
export function othersUse(ask: Ask, before: Verdict | undefined, now: Verdict): number {
  const own = now.chargedUs > 0 ? ask.cost : 0;
  return Math.max(0, now.current - own - (before ? leftOf(ask, before, now) : 0));
}

/** What would have been left if nobody had used anything since. */
function leftOf(ask: Ask, before: Verdict, now: Verdict): number {
  if (ask.algorithm === "token-bucket") return owedTokens(ask, before, 1, now.atUs);
  return before.resetAtUs > now.atUs ? before.current : 0;
}
