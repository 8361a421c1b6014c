import { applyRules, type Finding } from "../checking/rules.ts";
import { type History, type QueueTerms, readHistory } from "./history.ts";
import type { QueueRecord } from "./record.ts";
import { queueRules } from "./rules.ts";
import type { Violation } from "./violation.ts";

/** Checks what one run has recorded against every promise of the queue. */
export function checkHistory(records: readonly QueueRecord[], terms: QueueTerms): Required<Finding<Violation>> {
  const history = readHistory(records, terms);
  const { violations, counts, times } = applyRules(queueRules, history);
  return { violations, counts: { ...count(history), ...counts }, times };
}

/** How much there was to check. */
function count({ messages, faults, events }: History): Record<string, number> {
  const all = [...messages.values()];
  const sum = (of: (message: (typeof all)[number]) => number): number => all.reduce((total, one) => total + of(one), 0);
  const outcomes = (...names: readonly string[]) =>
    sum(({ pushes }) => (pushes.some(({ outcome }) => names.includes(outcome)) ? 1 : 0));
  return {
    acked: outcomes("stored", "pending"),
    pending: outcomes("pending"),
    failed: sum(({ pushes }) => pushes.filter(({ outcome }) => outcome === "none" || outcome === "unknown").length),
    applied: sum(({ effects }) => Math.min(1, effects.length)),
    deliveries: sum(({ leases }) => leases.length),
    duplicates: sum(({ leases, effects: [effect] }) =>
      effect ? leases.filter(({ delivery }) => delivery.atMs > effect.atMs).length : 0,
    ),
    recovered: sum(({ leases }) => leases.filter(({ delivery }) => delivery.crashes > 0).length),
    failures: sum(({ leases }) => leases.filter(({ hasFailed }) => hasFailed).length),
    dead: sum(({ deaths }) => deaths.length),
    kills: faults.filter(({ target }) => target === "kill").length,
    repaired: events.filter(({ name }) => name === "repaired").reduce((total, { count }) => total + count, 0),
  };
}
