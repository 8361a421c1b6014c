import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contenders } from "./clients/catalog.ts";
import { readHistoriesArguments } from "./options.ts";
import { drawPlan } from "./plan.ts";
import { createPool } from "./pool.ts";
import { type HistoryRun, runHistory } from "./run-history.ts";
import { addTo, emptyTally, type Tally, tallyTable } from "./tally.ts";

/**
 * `bench pubsub-histories [--histories 10] [--minutes 60] [--seed 1] [--way tcp] [--contender ours]… [--seconds 10] [--longest 10]
 * [--keep folder]`: processes that publish and listen while everything goes wrong, checked afterwards. Exit code 1 when one
 * of ours breaks a promise; such histories are kept, one record a line.
 */
export async function pubsubHistories(args: readonly string[]): Promise<void> {
  const { seed, minutes, histories, runs, keep, ...times } = readHistoriesArguments(args);
  const endsAt = performance.now() + minutes * 60_000;
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-pubsub-"));
  const pool = createPool();
  const series = runs.map(([name, way]) => [`${contenders[name].title}, ${way}`, emptyTally()] as const);
  console.log(`Histories of pub/sub from --seed ${seed}`);
  try {
    for (let nth = 0; nth < histories && performance.now() < endsAt; nth++) {
      for (const [at, [contender, way]] of runs.entries()) {
        const run = await runHistory(drawPlan({ seed: seed + nth, way, contender, ...times }), pool, folder);
        addTo(series[at]?.[1] as Tally, run);
        if (contender === "ours" && run.verdict.violations.length > 0) report(run, keep);
      }
    }
  } finally {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${tallyTable(series)}\n`);
}

/** What somebody needs who wants to see it again. */
function report({ plan, records, verdict }: HistoryRun, keep: string): void {
  process.exitCode = 1;
  const { seed, way, durability, hasFallback } = plan;
  mkdirSync(keep, { recursive: true });
  const file = join(keep, `${seed}-${way}.jsonl`);
  writeFileSync(file, [plan, ...verdict.violations, ...records].map((line) => `${JSON.stringify(line)}\n`).join(""));
  console.log(
    `\n--histories 1 --seed ${seed} --way ${way} (${durability}${hasFallback ? ", with fallback" : ""}) breaks ${verdict.violations.length} promises; ${file}`,
  );
  for (const violation of verdict.violations.slice(0, 5)) console.log(JSON.stringify(violation));
}
