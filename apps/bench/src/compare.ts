import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { suites } from "./compare/catalog.ts";
import { benchmarksDocument, circumstancesOf } from "./compare/document.ts";
import { type Chapter, suiteTables } from "./compare/report.ts";
import { runSuite } from "./compare/run-suite.ts";
import type { Suite } from "./compare/suite.ts";
import { summarize } from "./compare/summary.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

const page = join(import.meta.dirname, "../../../docs/benchmarks.md");

/** What a machine with nothing else to do may still have had in the minute before. */
const quietLoad = 0.5;

/**
 * `bench compare [--rounds 9] [--slice 400] [--only tcp,rest] [--scale 1] [--write]`: ours beside the rivals and the
 * limits. `--write` writes docs/benchmarks.md.
 */
export async function compare(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "9" },
      slice: { type: "string", default: "400" },
      only: { type: "string" },
      scale: { type: "string", default: "1" },
      write: { type: "boolean", default: false },
    },
  });
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new RangeError(`Expected --scale above 0 and up to 1, got ${values.scale}`);
  if (values.write && (values.only !== undefined || scale !== 1)) {
    throw new TypeError("--write needs a whole run, so that all numbers are of one: leave out --only and --scale");
  }
  const options = {
    rounds: wholeNumber("rounds", values.rounds),
    sliceMs: wholeNumber("slice", values.slice),
    scale,
  };
  const circumstances = await circumstancesOf(args);
  if (circumstances.load > quietLoad) {
    console.warn(
      `The machine has other work (load ${circumstances.load.toFixed(2)}): wait until it is quiet to quote numbers\n`,
    );
  }
  const chapters: Chapter[] = [];
  for (const suite of chosen(values.only)) {
    console.log(`## ${suite.title}\n\n${suite.about}\n`);
    const rows = summarize(suite, await runSuite(suite, options));
    console.log(`${suiteTables(suite, rows)}\n`);
    chapters.push({ suite, rows });
  }
  if (values.write) await writeFile(page, benchmarksDocument(circumstances, chapters));
}

function chosen(only: string | undefined): readonly Suite[] {
  if (only === undefined) return suites;
  return only.split(",").map((name) => {
    const suite = suites.find((each) => each.name === name);
    if (suite) return suite;
    const names = suites.map((each) => each.name).join(", ");
    throw new TypeError(`Expected --only to name some of ${names}, separated by commas, got ${JSON.stringify(name)}`);
  });
}
