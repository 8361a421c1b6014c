import type { Decision } from "../types.ts";

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
