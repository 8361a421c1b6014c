import type { SuiteReport } from "./inside/bare-runner.ts";
import type { Cell } from "./matrix.ts";
import type { Runtime } from "./runtimes.ts";
import type { Subject } from "./subjects.ts";

/** A run of suites in runtimes. */
export interface Run {
  readonly subjects: readonly Subject[];
  readonly runtimes: readonly Runtime[];
  cellOf(subject: Subject, runtime: Runtime): Cell;
}

const [begin, end] = ["<!-- runtimes: generated -->", "<!-- runtimes: end -->"];

/** The run as Markdown: the table, what the suites do, and every case that was left out, with its reason. */
export function tableOf({ subjects, runtimes, cellOf }: Run): string {
  const cells = subjects.flatMap((subject) => runtimes.map((runtime) => cellOf(subject, runtime)));
  const rows = subjects.map((subject) => [
    `\`${subject.package}\``,
    ...runtimes.map((runtime) => textOf(cellOf(subject, runtime))),
  ]);
  const notClaimed = new Set(cells.flatMap((cell) => ("notClaimed" in cell ? [cell.notClaimed] : [])));
  const skipped = subjects.flatMap((subject) => {
    const ofSubject = runtimes.map((runtime) => cellOf(subject, runtime)).filter(isReport);
    return [
      ...new Set(
        ofSubject.flatMap((report) => report.skipped.map(({ title, reason }) => `“${title}”, since ${reason}.`)),
      ),
    ].map((each) => `- \`${subject.package}\`: ${each}`);
  });
  return [
    line(["package", ...runtimes.map(({ title }) => title)]),
    line(["---", ...runtimes.map(() => "---:")]),
    ...rows.map(line),
    "",
    ...[...notClaimed].map((reason) => `– not claimed: ${reason}.`),
    "",
    "What the suites do:",
    "",
    ...subjects.map(({ package: name, covers }) => `- \`${name}\`: ${covers}.`),
    ...(skipped.length > 0 ? ["", "Cases that are left out, in every runtime alike:", "", ...skipped] : []),
  ].join("\n");
}

/** Puts the table into a document, between the two marks that it holds. */
export function withTable(document: string, table: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Expected the document to hold ${begin} and, after it, ${end}`);
  return `${document.slice(0, from + begin.length)}\n\n${table}\n\n${document.slice(to)}`;
}

/** The packages and the runtimes of the table in a document, and its other cells. */
export function readTable(document: string): {
  readonly packages: readonly string[];
  readonly runtimes: readonly string[];
  readonly cells: readonly string[];
} {
  const block = document.slice(document.indexOf(begin), document.indexOf(end));
  const [head = [], , ...rows] = block
    .split("\n")
    .filter((each) => each.startsWith("|"))
    .map((each) =>
      each
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return {
    packages: rows.map(([name = ""]) => name.replaceAll("`", "")),
    runtimes: head.slice(1),
    cells: rows.flatMap((row) => row.slice(1)),
  };
}

export const isReport = (cell: Cell): cell is SuiteReport => "passed" in cell;

/** "119 of 119", "–" where nothing is claimed, or "not run". */
export function textOf(cell: Cell): string {
  if (!isReport(cell)) return "notClaimed" in cell ? "–" : "not run";
  const { passed, failed, skipped } = cell;
  const leftOut = skipped.length > 0 ? ` (${skipped.length} left out)` : "";
  return `${passed} of ${passed + failed.length}${leftOut}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
