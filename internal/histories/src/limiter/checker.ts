import { checkSubject, type Promises } from "./check-subject.ts";
import type { Subject } from "./contender.ts";
import type { LimitRecord } from "./record.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** What a run came to. */
export interface Verdict {
  readonly decisions: number;
  readonly outcomes: Readonly<Record<"allowed" | "refused" | "failed", number>>;
  /** Decisions by who made them. */
  readonly sources: Readonly<Record<string, number>>;
  readonly refunds: number;
  readonly resets: number;
  readonly violations: readonly Violation[];
}

/** Holds the records of all processes against what the limiter promises. */
export function check(subjects: readonly Subject[], records: readonly LimitRecord[], promises: Promises): Verdict {
  const bySubject = subjects.map((): LimitRecord[] => []);
  const outcomes = { allowed: 0, refused: 0, failed: 0 };
  const sources: Record<string, number> = {};
  const kinds = { call: 0, refund: 0, reset: 0 };
  for (const record of records) {
    bySubject[record.subject]?.push(record);
    kinds[record.kind]++;
    if (record.kind !== "call") continue;
    outcomes[record.outcome]++;
    sources[record.source] = (sources[record.source] ?? 0) + 1;
  }
  const violations = subjects.flatMap((subject, at) => checkSubject(subject, at, bySubject[at] ?? [], promises));
  return { decisions: kinds.call, outcomes, sources, refunds: kinds.refund, resets: kinds.reset, violations };
}

export const countOf = ({ violations }: Verdict, kind: ViolationKind): number =>
  violations.reduce((count, violation) => count + (violation.kind === kind ? 1 : 0), 0);

/** The largest amount among the violations of a kind; 0 when there is none. */
export const worstOf = ({ violations }: Verdict, kind: ViolationKind): number =>
  violations.reduce((worst, violation) => (violation.kind === kind ? Math.max(worst, violation.amount) : worst), 0);
