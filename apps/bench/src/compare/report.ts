import type { Suite } from "./suite.ts";
import { kindsOf, type Ratio, type Row } from "./summary.ts";

const number = (value: number, digits: number): string =>
  Number.isFinite(value)
    ? value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : "";

const tableOf = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [
    `| ${head.join(" | ")} |`,
    `| --- ${"| ---: ".repeat(head.length - 1)}|`,
    ...lines.map((line) => `| ${line.join(" | ")} |`),
  ].join("\n");

/** A suite and what was measured. */
export interface Chapter {
  readonly suite: Suite;
  readonly rows: readonly Row[];
}

/** All rows of a suite as Markdown: a table for each scenario. */
export function suiteTables(suite: Suite, rows: readonly Row[]): string {
  return suite.scenarios
    .map((scenario) => `**${scenario}**\n\n${scenarioTable(suite, rowsOf(rows, scenario))}`)
    .join("\n\n");
}

const rowsOf = (rows: readonly Row[], scenario: string): Row[] => rows.filter((row) => row.scenario === scenario);

function scenarioTable(suite: Suite, rows: readonly Row[]): string {
  const kinds = kindsOf(suite).filter((kind) => rows.some(({ ratios }) => ratios.some((ratio) => ratio.kind === kind)));
  // A column is shown where anything is known of it.
  const columns = suite.columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ index }) => rows.some((row) => Number.isFinite(row.columns[index])));
  const hasCpu = suite.columns.length > 0;
  const ratioText = (ratio: Ratio | undefined): string => {
    if (!ratio) return "";
    const { median, lower, upper } = ratio.value;
    const spread = suite.isExact ? "" : ` (${lower.toFixed(2)}–${upper.toFixed(2)})`;
    return `${median.toFixed(2)}${spread}${hasCpu ? `, CPU ${ratio.cpu.toFixed(2)}` : ""}`;
  };
  return tableOf(
    [
      "",
      suite.value.title,
      ...(suite.isExact ? [] : ["middle half"]),
      ...kinds.map((kind) => `beside ${kind}`),
      ...columns.map(({ title }) => title),
    ],
    rows.map(({ name, isOurs, value, ratios, columns: values }) => [
      isOurs ? `**${name}**` : name,
      number(value.median, suite.value.digits),
      ...(suite.isExact
        ? []
        : [`${number(value.lower, suite.value.digits)}–${number(value.upper, suite.value.digits)}`]),
      ...kinds.map((kind) => ratioText(ratios.find((ratio) => ratio.kind === kind))),
      ...columns.map(({ index, digits }) => number(values[index] as number, digits)),
    ]),
  );
}

/** The first of ours in each scenario, which is the default stack where there is one, beside each kind. */
export function glanceTable(chapters: readonly Chapter[]): string {
  const lines = chapters.flatMap(({ suite, rows }) =>
    suite.scenarios.flatMap((scenario) => {
      const ours = rowsOf(rows, scenario).find(({ isOurs }) => isOurs);
      if (!ours) return [];
      const ratios = ours.ratios.map(({ kind, value }) => `${value.median.toFixed(2)} beside ${kind}`);
      const value = `${number(ours.value.median, suite.value.digits)} ${suite.value.title}`;
      return [[`${suite.title}: ${scenario}`, ours.name, value, ratios.join(", ")]];
    }),
  );
  return tableOf(["", "ours", "median", "ratios"], lines);
}

const width = 40;

/** The medians of a suite as bars of text; the longest of a scenario is as wide as the chart. */
export function suiteChart(suite: Suite, rows: readonly Row[]): string {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const charts = suite.scenarios.map((scenario) => {
    const bars = rowsOf(rows, scenario);
    const most = Math.max(...bars.map(({ value }) => value.median));
    const lines = bars.map(
      ({ name, value }) =>
        `${name.padEnd(nameWidth)} ${bar(value.median / most)} ${number(value.median, suite.value.digits)}`,
    );
    return `${scenario} (${suite.value.title})\n${lines.join("\n")}`;
  });
  return `\`\`\`text\n${charts.join("\n\n")}\n\`\`\``;
}

/** A bar in steps of an eighth of a character. */
function bar(share: number): string {
  const eighths = Math.round(share * width * 8);
  return "█".repeat(eighths >> 3) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
}
