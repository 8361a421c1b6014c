import type { History } from "./history.ts";
import { interruptedReplays } from "./interrupted-replays.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** What a run has found. */
export interface RunSummary {
  /** Where the seeds began. */
  readonly seed: number;
  readonly histories: number;
  readonly calls: number;
  /** How many histories of each kind, by `connection schedule`. */
  readonly byVariant: Readonly<Record<string, number>>;
  /** How often each fault was used. */
  readonly faults: Readonly<Record<string, number>>;
  /** How many clients went local, and how many lost the primary again while they were replaying. */
  readonly outages: number;
  readonly interruptedReplays: number;
  /** How many histories have violations. */
  readonly failed: number;
  /** How many violations of each kind, and how many questions were left open. */
  readonly byKind: Readonly<Partial<Record<ViolationKind, number>>>;
  readonly undecided: Readonly<Partial<Record<ViolationKind, number>>>;
  /** The first histories with violations, at most 20. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly history: History;
  readonly violations: readonly Violation[];
}

const mostFailures = 20;

/** Adds up what histories show. */
export function createSummary(seed: number): {
  add(history: History, violations: readonly Violation[], undecided: RunSummary["undecided"]): void;
  soFar(): RunSummary;
} {
  const byVariant = createTally();
  const faults = createTally();
  const byKind = createTally();
  const undecided = createTally();
  const failures: Failure[] = [];
  const sums = { histories: 0, calls: 0, outages: 0, interruptedReplays: 0, failed: 0 };
  return {
    add(history, violations, open) {
      const { connection, schedule, durable } = history.variant;
      sums.histories++;
      sums.calls += history.clients.reduce((sum, { calls }) => sum + calls.length, 0);
      sums.outages += history.clients.flatMap(({ changes }) => changes).filter(({ to }) => to === "local").length;
      sums.interruptedReplays += interruptedReplays(history);
      byVariant.add(`${connection} ${schedule}${durable ? "" : " without AOF"}`);
      for (const { fault } of history.nemesis) faults.add(fault);
      for (const { kind } of violations) byKind.add(kind);
      for (const [kind, count] of Object.entries(open)) undecided.add(kind, count);
      if (violations.length > 0) sums.failed++;
      if (violations.length > 0 && failures.length < mostFailures) failures.push({ history, violations });
    },
    soFar: () => ({
      seed,
      ...sums,
      byVariant: byVariant.counts(),
      faults: faults.counts(),
      byKind: byKind.counts(),
      undecided: undecided.counts(),
      failures: [...failures],
    }),
  };
}

function createTally(): { add(name: string, count?: number): void; counts(): Record<string, number> } {
  const counts = new Map<string, number>();
  return {
    add: (name, count = 1) => void counts.set(name, (counts.get(name) ?? 0) + count),
    counts: () => Object.fromEntries([...counts].sort(([left], [right]) => left.localeCompare(right))),
  };
}
