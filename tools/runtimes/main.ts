// Runs every package's suite in every runtime and prints the table; `--write` puts it into docs/RUNTIMES.md, if all ran
// and passed. Further arguments name the runtimes to run alone: `Deno`, `"Node 22"`.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { installRuntimes } from "./installed-runtimes.ts";
import { type Cell, runCell } from "./matrix.ts";
import { runtimes as allRuntimes } from "./runtimes.ts";
import { subjects } from "./subjects.ts";
import { isReport, tableOf, textOf, withTable } from "./table.ts";

const document = resolve(import.meta.dirname, "../../docs/RUNTIMES.md");
const names = process.argv.slice(2).filter((each) => each !== "--write");
const isWriting = process.argv.includes("--write");
const runtimes = allRuntimes.filter(({ title }) => names.length === 0 || names.some((name) => title.startsWith(name)));
if (runtimes.length === 0) throw new Error(`Expected one of ${allRuntimes.map(({ title }) => title).join(", ")}`);
if (isWriting && names.length > 0) throw new Error("Only a run of all runtimes can be written");

const installation = await installRuntimes();

const cells = new Map<string, Cell>();
let isWhole = true;
for (const runtime of runtimes) {
  for (const subject of subjects) {
    const startedAt = performance.now();
    const cell = await runCell(subject, runtime, installation);
    cells.set(`${runtime.title} ${subject.package}`, cell);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${runtime.title}, ${subject.package}: ${textOf(cell)} (${seconds} s)`);
    if ("notRun" in cell) console.log(`  ${cell.notRun}`);
    for (const { title, error } of isReport(cell) ? cell.failed : []) console.log(`  ${title}\n    ${error}`);
    isWhole &&= isReport(cell) ? cell.failed.length === 0 && cell.passed > 0 : "notClaimed" in cell;
  }
}

const table = tableOf({
  subjects,
  runtimes,
  cellOf: (subject, runtime) => cells.get(`${runtime.title} ${subject.package}`) ?? { notRun: "left out" },
});
console.log(`\n${table}`);
if (isWriting && isWhole) writeFileSync(document, withTable(readFileSync(document, "utf8"), table));
if (isWriting && !isWhole) console.error("Not written: not everything ran and passed.");
process.exit(isWhole ? 0 : 1);
