/** One broken promise. What else a subject says about it, such as the message that shows it, stands beside these. */
export interface Violation<Kind extends string = string> {
  readonly kind: Kind;
  /** What is wrong, in words. */
  readonly detail: string;
  readonly process?: string;
}

/** What a rule found in one history. */
export interface Finding<Broken> {
  readonly violations: readonly Broken[];
  /** What the rule counted besides, such as losses that are allowed. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Durations that the rule measured, in milliseconds. */
  readonly times?: Readonly<Record<string, readonly number[]>>;
}

/** A promise, and what finds where a history breaks it. */
export interface Rule<History, Broken> {
  readonly promise: string;
  check(history: History): readonly Broken[] | Finding<Broken>;
}

/** All promises of a subject, by the names of their rules. */
export type Rules<History, Broken> = Readonly<Record<string, Rule<History, Broken>>>;

/** Holds a history against every promise of its subject. */
export function applyRules<History, Broken>(
  rules: Rules<History, Broken>,
  history: History,
): Required<Finding<Broken>> {
  const violations: Broken[] = [];
  const counts: Record<string, number> = {};
  const times: Record<string, readonly number[]> = {};
  for (const { check } of Object.values(rules)) {
    const found = check(history);
    const finding: Finding<Broken> = "violations" in found ? found : { violations: found };
    violations.push(...finding.violations);
    Object.assign(counts, finding.counts);
    Object.assign(times, finding.times);
  }
  return { violations, counts, times };
}
