import { countOf, worstOf } from "./checker.ts";
import type { ExactnessRun } from "./run.ts";
import type { ViolationKind } from "./violation.ts";

/** What a table row is called, and how it is read off. */
type Line = readonly [name: string, of: (run: ExactnessRun) => string];

const count = (name: string, kind: ViolationKind): Line => [name, (run) => String(countOf(run, kind))];

/** Where there are none, there is nothing to say of receipts. */
const ofReceipts =
  (of: (run: ExactnessRun) => string) =>
  (run: ExactnessRun): string =>
    run.hasReceipts ? of(run) : "–";

const lines: readonly Line[] = [
  ["decisions", (run) => String(run.decisions)],
  ["allowed", ({ outcomes }) => String(outcomes.allowed)],
  ["refused", ({ outcomes }) => String(outcomes.refused)],
  ["failed", ({ outcomes }) => String(outcomes.failed)],
  [
    "decided by",
    ({ sources }) =>
      Object.entries(sources)
        .map(([source, times]) => `${source} ${times}`)
        .join(", "),
  ],
  ["refunds, resets", ({ refunds, resets }) => `${refunds}, ${resets}`],
  count("**windows above the limit**", "over-limit"),
  count("**certainly above it**, by the calls' own times", "certainly-over-limit"),
  ["worst overshoot", (run) => String(worstOf(run, "over-limit"))],
  count("**false refusals**", "false-refusal"),
  count("denials that others had lifted, within 5 s", "late-denial"),
  count("retry-after too early by more than 25 ms", "retry-too-early"),
  count("retry-after too late by more than 25 ms", "retry-too-late"),
  ["too late by at most, ms", (run) => (worstOf(run, "retry-too-late") / 1_000).toFixed(1)],
  ["receipts that gave back twice", ofReceipts((run) => String(countOf(run, "refunded-twice")))],
  ["good receipts that gave back nothing", ofReceipts((run) => String(countOf(run, "refund-lost")))],
  ["receipts' times off the call by at most, ms", ofReceipts((run) => (worstOf(run, "wrong-time") / 1_000).toFixed(1))],
  ["seconds", ({ seconds }) => seconds.toFixed(0)],
];

/** The runs side by side, in Markdown. */
export function exactnessTable(runs: readonly (readonly [title: string, run: ExactnessRun])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    row(["", ...runs.map(([title]) => title)]),
    row(["---", ...runs.map(() => "---:")]),
    ...lines.map(([name, of]) => row([name, ...runs.map(([, run]) => of(run))])),
  ].join("\n");
}
