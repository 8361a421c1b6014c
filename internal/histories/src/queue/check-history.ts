import { type History, type QueueTerms, readHistory } from "./history.ts";
import type { QueueRecord } from "./record.ts";
import { checkDeadlines } from "./rules/deadlines.ts";
import { checkEffects } from "./rules/effects.ts";
import { checkFencing } from "./rules/fencing.ts";
import { checkFinished } from "./rules/finished.ts";
import { checkInnocentDeath } from "./rules/innocent-death.ts";
import { checkLoss } from "./rules/loss.ts";
import { checkRedelivery } from "./rules/redelivery.ts";
import { checkStarvation } from "./rules/starvation.ts";
import type { Violation } from "./violation.ts";

/** What a history shows. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
  /** From the kill of a process to the next delivery of what it had begun, the shortest first. */
  readonly redeliveredMs: readonly number[];
}

/** How much there was to check. */
export interface Counts {
  /** Messages whose push was acknowledged, and how many of them waited in their producer first. */
  readonly acked: number;
  readonly pending: number;
  /** Pushes that failed, their effect known or not. */
  readonly failed: number;
  readonly applied: number;
  readonly deliveries: number;
  /** Deliveries of messages that had been applied already. */
  readonly duplicates: number;
  /** Deliveries with a crash behind them. */
  readonly recovered: number;
  /** Acks of lost leases that were refused. */
  readonly refused: number;
  readonly branched: number;
  readonly failures: number;
  readonly dead: number;
  readonly kills: number;
  /** Messages that a failover or a crash had taken and that were pushed again, as told. */
  readonly repaired: number;
  readonly lostWaiting: number;
  readonly lostTogether: number;
  readonly judgedWaits: number;
}

/** The default weights are 8:4:2:1, and what comes back goes first: of so many deliveries at least one is of a priority. */
const oneIn = { high: 4, normal: 8, low: 16 } as const;

/** Checks what one run has recorded against every promise of the queue. The rules say themselves what they promise. */
export function checkHistory(records: readonly QueueRecord[], terms: QueueTerms): Verdict {
  const history = readHistory(records);
  const loss = checkLoss(history);
  const fencing = checkFencing(history);
  const redelivery = checkRedelivery(history, terms);
  const starvation = checkStarvation(history, terms, oneIn);
  return {
    violations: [
      ...loss.violations,
      ...checkEffects(history),
      ...checkInnocentDeath(history, terms.maxAttempts),
      ...redelivery.violations,
      ...fencing.violations,
      ...checkDeadlines(history, terms),
      ...starvation.violations,
      ...checkFinished(history),
    ],
    counts: {
      ...count(history),
      refused: fencing.refused,
      branched: fencing.branched,
      lostWaiting: loss.lostWaiting,
      lostTogether: loss.lostTogether,
      judgedWaits: starvation.judged,
    },
    redeliveredMs: redelivery.tookMs,
  };
}

function count({ messages, faults, events }: History) {
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
