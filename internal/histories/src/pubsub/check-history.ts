import { applyRules, type Finding } from "../checking/rules.ts";
import { type History, type PubSubTerms, readHistory } from "./history.ts";
import type { PubSubRecord } from "./record.ts";
import { pubsubRules } from "./rules.ts";
import type { Violation } from "./violation.ts";

/** Checks what one run has recorded against every promise of pub/sub. */
export function checkHistory(records: readonly PubSubRecord[], terms: PubSubTerms): Required<Finding<Violation>> {
  const history = readHistory(records, terms);
  const { violations, counts, times } = applyRules(pubsubRules, history);
  const { covered = 0, coveredByReplay = 0, forgotten = 0 } = counts;
  return { violations, counts: { ...count(history), covered: covered + coveredByReplay, forgotten }, times };
}

/** How much there was to check. */
function count({ publishes, lives, faults }: History): Record<string, number> {
  const items = lives.flatMap((life) => life.items);
  const outcomes = [...publishes.values()].map(({ outcome }) => outcome);
  return {
    faults: faults.length,
    acked: outcomes.filter((outcome) => outcome === "acked").length,
    degraded: outcomes.filter((outcome) => outcome === "degraded").length,
    failed: outcomes.filter((outcome) => outcome === "none" || outcome === "unknown").length,
    deliveries: items.filter(({ kind }) => kind === "delivery").length,
    gaps: items.filter(({ kind }) => kind === "gap").length,
    subscriptions: lives.length,
  };
}
