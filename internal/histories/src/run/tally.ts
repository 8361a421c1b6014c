import type { Outcome } from "./subject.ts";

/** What a series of histories came to. */
export interface Tally {
  histories: number;
  readonly counts: Record<string, number>;
  readonly violations: Record<string, number>;
  readonly times: Record<string, number[]>;
}

export const emptyTally = (): Tally => ({ histories: 0, counts: {}, violations: {}, times: {} });

/** Counts are added up, but for those whose names begin with "worst", of which the largest is kept. */
export function addTo(tally: Tally, { counts, violations, times = {} }: Outcome): void {
  tally.histories++;
  for (const [name, count] of Object.entries(counts)) {
    const known = tally.counts[name] ?? 0;
    tally.counts[name] = name.startsWith("worst") ? Math.max(known, count) : known + count;
  }
  for (const { kind } of violations) tally.violations[kind] = (tally.violations[kind] ?? 0) + 1;
  for (const [name, some] of Object.entries(times)) tally.times[name] = [...(tally.times[name] ?? []), ...some];
}

export const brokenIn = ({ violations }: Tally): number =>
  Object.values(violations).reduce((sum, count) => sum + count, 0);

/** Series side by side, in Markdown. */
export function tallyTable(
  series: readonly (readonly [title: string, tally: Tally])[],
  titles: Readonly<Record<string, string>>,
): string {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const line = (name: string, of: (tally: Tally) => string | number): string =>
    row([name, ...series.map(([, tally]) => of(tally))]);
  const namesIn = (part: "counts" | "times" | "violations"): string[] => [
    ...new Set(series.flatMap(([, tally]) => Object.keys(tally[part]))),
  ];
  return [
    row(["", ...series.map(([title]) => title)]),
    row(["---", ...series.map(() => "---:")]),
    line("histories", ({ histories }) => histories),
    ...namesIn("counts").map((name) => line(titles[name] ?? name, ({ counts }) => counts[name] ?? "")),
    ...namesIn("times").map((name) =>
      line(`${titles[name] ?? name}, ms: median, p99, longest, of`, ({ times }) => spread(times[name] ?? [])),
    ),
    ...namesIn("violations").map((kind) => line(`**${kind}**`, ({ violations }) => violations[kind] ?? 0)),
    line("**promises broken**", brokenIn),
  ].join("\n");
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return "";
  const sorted = times.map(Math.round).sort((one, other) => one - other);
  const at = (share: number): number | undefined => sorted[Math.floor(sorted.length * share)];
  return `${at(0.5)}, ${at(0.99)}, ${sorted.at(-1)}, ${sorted.length}`;
}
