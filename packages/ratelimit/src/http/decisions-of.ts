import type { CombinedDecision, Decision } from "../types.ts";

/** @throws RangeError when there is none. */
export function decisionsOf(decision: Decision | readonly Decision[] | CombinedDecision): readonly Decision[] {
  const decisions = "decisions" in decision ? decision.decisions : "allowed" in decision ? [decision] : decision;
  if (decisions.length === 0) throw new RangeError("Expected at least one decision to tell of, got none");
  return decisions;
}
