import { type LogTerms, readHistory } from "./history.ts";
import type { LogRecord } from "./record.ts";
import { checkConduct } from "./rules/conduct.ts";
import { checkIdentity } from "./rules/identity.ts";
import { checkLoss } from "./rules/loss.ts";
import { checkOrder } from "./rules/order.ts";
import type { Violation } from "./violation.ts";

/** What a history shows. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
}

/** How much there was to check. */
export interface Counts {
  readonly acked: number;
  readonly pending: number;
  readonly failed: number;
  /** Events as they were given, added up over instances, and such that one had been given before. */
  readonly given: number;
  readonly again: number;
  readonly sessions: number;
  readonly gaps: number;
  readonly kills: number;
  /** Events that a failover or a crash had taken and that were appended again, as told. */
  readonly repaired: number;
  readonly lostWaiting: number;
  readonly lostTogether: number;
  readonly rewritten: number;
}

/** Checks what one run has recorded against every promise of the log. The rules say themselves what they promise. */
export function checkHistory(records: readonly LogRecord[], terms: LogTerms): Verdict {
  const history = readHistory(records);
  const loss = checkLoss(history);
  const identity = checkIdentity(history);
  const { appends, entries, sessions, gaps, faults, events } = history;
  const outcomes = (...names: readonly string[]): number =>
    appends.filter(({ outcome }) => names.includes(outcome)).length;
  return {
    violations: [
      ...loss.violations,
      ...identity.violations,
      ...checkOrder(history, terms),
      ...checkConduct(history, terms),
    ],
    counts: {
      acked: outcomes("stored", "pending"),
      pending: outcomes("pending"),
      failed: outcomes("failed", "taken"),
      given: entries.length,
      again: entries.length - new Set(entries.map(({ reader, name }) => `${reader} ${name}`)).size,
      sessions: sessions.length,
      gaps: gaps.length,
      kills: faults.filter(({ target }) => target === "kill").length,
      repaired: events.filter(({ name }) => name === "repaired").reduce((sum, { count }) => sum + count, 0),
      lostWaiting: loss.lostWaiting,
      lostTogether: loss.lostTogether,
      rewritten: identity.rewritten,
    },
  };
}
