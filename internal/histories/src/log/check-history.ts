import { applyRules, type Finding } from "../checking/rules.ts";
import { type History, type LogTerms, readHistory } from "./history.ts";
import type { LogRecord } from "./record.ts";
import { logRules } from "./rules.ts";
import type { Violation } from "./violation.ts";

/** Checks what one run has recorded against every promise of the log. */
export function checkHistory(records: readonly LogRecord[], terms: LogTerms): Required<Finding<Violation>> {
  const history = readHistory(records, terms);
  const { violations, counts, times } = applyRules(logRules, history);
  return { violations, counts: { ...count(history), ...counts }, times };
}

/** How much there was to check. */
function count({ appends, entries, sessions, gaps, faults, events }: History): Record<string, number> {
  const outcomes = (...names: readonly string[]): number =>
    appends.filter(({ outcome }) => names.includes(outcome)).length;
  return {
    acked: outcomes("stored", "pending"),
    pending: outcomes("pending"),
    failed: outcomes("failed", "taken"),
    given: entries.length,
    again: entries.length - new Set(entries.map(({ reader, name }) => `${reader} ${name}`)).size,
    sessions: sessions.length,
    gaps: gaps.length,
    kills: faults.filter(({ target }) => target === "kill").length,
    repaired: events.filter(({ name }) => name === "repaired").reduce((sum, { count }) => sum + count, 0),
  };
}
