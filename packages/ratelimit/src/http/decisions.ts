import type { CombinedDecision, Decision } from "../types.ts";

/** All decisions, whether one, several or a combined one was given. @throws RangeError when there is none. */
export function decisionsOf(decision: Decision | readonly Decision[] | CombinedDecision): readonly Decision[] {
  const decisions = "decisions" in decision ? decision.decisions : "allowed" in decision ? [decision] : decision;
  if (decisions.length === 0) throw new RangeError("Expected at least one decision, got none");
  return decisions;
}

/** The largest integer that a structured field can hold. */
const largestInteger = 999_999_999_999_999;

/** Seconds for a header field: whole, and rounded up, so that no client comes back too early. */
export const wholeSeconds = (seconds: number): number => Math.min(Math.max(Math.ceil(seconds), 0), largestInteger);

/** How long a refused caller must wait, in whole seconds; undefined when no decision is a refusal. */
export function retryAfterSeconds(decisions: readonly Decision[]): number | undefined {
  const refused = decisions.filter(({ allowed }) => !allowed);
  if (refused.length === 0) return undefined;
  // At least the field's `t`, as the draft requires, and at least a second.
  return Math.max(1, ...refused.map(({ retryAfter, moreAfter }) => wholeSeconds(Math.max(retryAfter, moreAfter))));
}
