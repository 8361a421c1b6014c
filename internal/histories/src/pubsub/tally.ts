import type { Counts } from "./check-history.ts";
import type { HistoryRun } from "./run-history.ts";

/** What a series of histories came to. */
export interface Tally {
  histories: number;
  counts: Record<keyof Counts, number>;
  violations: Record<string, number>;
  faults: Record<string, number>;
}

export function emptyTally(): Tally {
  const none = { acked: 0, degraded: 0, failed: 0, deliveries: 0, gaps: 0, subscriptions: 0, covered: 0, forgotten: 0 };
  return { histories: 0, counts: none, violations: {}, faults: {} };
}

export function addTo(tally: Tally, { plan, verdict }: HistoryRun): void {
  tally.histories++;
  for (const name of Object.keys(tally.counts) as (keyof Counts)[]) tally.counts[name] += verdict.counts[name];
  for (const { kind } of verdict.violations) tally.violations[kind] = (tally.violations[kind] ?? 0) + 1;
  for (const { name } of plan.faults) tally.faults[name] = (tally.faults[name] ?? 0) + 1;
}

/** Series side by side, in Markdown. */
export function tallyTable(series: readonly (readonly [title: string, tally: Tally])[]): string {
  const kinds = [...new Set(series.flatMap(([, { violations }]) => Object.keys(violations)))];
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const line = (name: string, of: (tally: Tally) => number): string =>
    row([name, ...series.map(([, tally]) => of(tally))]);
  return [
    row(["", ...series.map(([title]) => title)]),
    row(["---", ...series.map(() => "---:")]),
    line("histories", ({ histories }) => histories),
    line("faults", ({ faults }) => Object.values(faults).reduce((sum, count) => sum + count, 0)),
    line("acknowledged messages", ({ counts }) => counts.acked),
    line("calls that failed", ({ counts }) => counts.failed),
    line("published within the process", ({ counts }) => counts.degraded),
    line("subscriptions", ({ counts }) => counts.subscriptions),
    line("deliveries", ({ counts }) => counts.deliveries),
    line("gaps told", ({ counts }) => counts.gaps),
    line("missing as told", ({ counts }) => counts.covered),
    line("lost by the server unread", ({ counts }) => counts.forgotten),
    ...kinds.map((kind) => line(`**${kind}**`, ({ violations }) => violations[kind] ?? 0)),
    line("**promises broken**", ({ violations }) => Object.values(violations).reduce((sum, count) => sum + count, 0)),
  ].join("\n");
}
