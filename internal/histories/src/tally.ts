/** What a series of histories came to. */
export interface Tally {
  histories: number;
  faults: number;
  readonly counts: Record<string, number>;
  readonly violations: Record<string, number>;
  /** How soon the messages of killed processes were given out again, in milliseconds. */
  readonly redeliveredMs: number[];
}

/** What a history adds to it. */
export interface Outcome {
  readonly plan: { readonly faults: readonly unknown[] };
  readonly verdict: {
    readonly counts: object;
    readonly violations: readonly { readonly kind: string }[];
    readonly redeliveredMs?: readonly number[];
  };
}

export const emptyTally = (): Tally => ({ histories: 0, faults: 0, counts: {}, violations: {}, redeliveredMs: [] });

export function addTo(tally: Tally, { plan, verdict }: Outcome): void {
  tally.histories++;
  tally.faults += plan.faults.length;
  for (const [name, count] of Object.entries(verdict.counts) as [string, number][]) {
    tally.counts[name] = (tally.counts[name] ?? 0) + count;
  }
  for (const { kind } of verdict.violations) tally.violations[kind] = (tally.violations[kind] ?? 0) + 1;
  tally.redeliveredMs.push(...(verdict.redeliveredMs ?? []));
}

/** What the counts of both checkers are called. */
const titles: Readonly<Record<string, string>> = {
  acked: "acknowledged",
  pending: "of these, waited in their process first",
  failed: "calls that failed",
  applied: "applied",
  deliveries: "given out",
  duplicates: "given out again although applied",
  recovered: "given out after a lost lease",
  refused: "late ends of lost leases, refused",
  branched: "in the queue twice, as is allowed then",
  failures: "failures of handlers",
  dead: "dead, by failures of their handler",
  given: "given to instances",
  again: "given again, not committed before",
  sessions: "loops, by origin",
  gaps: "gaps told",
  kills: "processes killed",
  repaired: "lost by the server, or thought to be, and repeated",
  lostWaiting: "lost waiting in a killed process",
  lostTogether: "lost with process and server together",
  rewritten: "numbers given anew, with process and server lost together",
  judgedWaits: "waits judged for starvation",
};

/** Series side by side, in Markdown. */
export function tallyTable(series: readonly (readonly [title: string, tally: Tally])[]): string {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const line = (name: string, of: (tally: Tally) => string | number): string =>
    row([name, ...series.map(([, tally]) => of(tally))]);
  const kinds = [...new Set(series.flatMap(([, { violations }]) => Object.keys(violations)))];
  return [
    row(["", ...series.map(([title]) => title)]),
    row(["---", ...series.map(() => "---:")]),
    line("histories", ({ histories }) => histories),
    line("faults", ({ faults }) => faults),
    ...Object.entries(titles).map(([name, title]) => line(title, ({ counts }) => counts[name] ?? "")),
    line("redelivered after a kill, ms: median, longest, of", ({ redeliveredMs }) => spread(redeliveredMs)),
    ...kinds.map((kind) => line(`**${kind}**`, ({ violations }) => violations[kind] ?? 0)),
    line("**promises broken**", ({ violations }) => Object.values(violations).reduce((sum, count) => sum + count, 0)),
  ].join("\n");
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return "";
  const sorted = [...times].sort((one, other) => one - other);
  return `${sorted[Math.floor(sorted.length / 2)]}, ${sorted.at(-1)}, ${sorted.length}`;
}
