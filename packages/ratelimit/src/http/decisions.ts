import type { CombinedDecision, Decision } from "../types.ts";

/** @throws RangeError when there is none. */
export function decisionsOf(decision: Decision | readonly Decision[] | CombinedDecision): readonly Decision[] {
  const decisions = "decisions" in decision ? decision.decisions : "allowed" in decision ? [decision] : decision;
  if (decisions.length === 0) throw new RangeError("Expected at least one decision to tell of, got none");
  return decisions;
}

/** The largest integer that a structured field can hold. */
const largestInteger = 999_999_999_999_999;

/** Seconds as header fields want them: whole, and never too early. */
export const wholeSeconds = (seconds: number): number => Math.min(Math.max(Math.ceil(seconds), 0), largestInteger);

/** How long a refused caller has to wait, in whole seconds; undefined when nothing was refused. */
export function retryAfterSeconds(decisions: readonly Decision[]): number | undefined {
  const refused = decisions.filter(({ allowed }) => !allowed);
  if (refused.length === 0) return undefined;
  // Never earlier than the field's `t`, as the draft asks, and never an invitation to come back at once.
  return Math.max(1, ...refused.map(({ retryAfter, moreAfter }) => wholeSeconds(Math.max(retryAfter, moreAfter))));
}
