import type { Accept } from "../algorithms/accepts.ts";
import type { Ask } from "./ask.ts";
import { owedTokens } from "./part.ts";
import type { KnownStanding, Verdict } from "./verdict.ts";

/**
 * What others have used of a key between two looks of this process at it, as far as it can be told.
 * @param merged - What this process told Redis on the way.
 */
export function othersUse(
  ask: Ask,
  before: Readonly<KnownStanding> | undefined,
  now: Verdict,
  merged: readonly Accept[],
): number {
  const own = now.chargedUs > 0 ? ask.cost : 0;
  // A key made anew holds nothing of what was, except what it is told; one that lived on had counted its own already.
  const left = before?.bornUs === now.bornUs ? leftOf(ask, before, now) : 0;
  const told = merged.reduce((sum, { bornUs, cost }) => (bornUs === now.bornUs ? sum : sum + cost), 0);
  return Math.max(0, now.current - own - left - told);
}

/** What would have been left without any use since. */
function leftOf(ask: Ask, before: Readonly<KnownStanding>, now: Verdict): number {
  if (ask.algorithm === "token-bucket") return owedTokens(ask, before, 1, now.atUs);
  return before.resetAtUs > now.atUs ? before.current : 0;
}
