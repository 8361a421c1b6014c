import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Way } from "../faults/fault-plan.ts";
import { drawPlan as drawLogPlan } from "../log/plan.ts";
import { createLogPool, runHistory as runLogHistory } from "../log/run-history.ts";
import { readHistoriesArguments } from "../options.ts";
import { addTo, emptyTally, type Outcome, tallyTable } from "../tally.ts";
import { drawPlan as drawQueuePlan } from "./plan.ts";
import { createQueuePool, runHistory as runQueueHistory } from "./run-history.ts";

interface Run extends Outcome {
  readonly plan: Outcome["plan"] & { readonly seed: number; readonly way: Way; readonly durability: string };
  readonly records: readonly unknown[];
}

/**
 * `bench federation-histories [--histories 2] [--minutes 60] [--messages 200000] [--seed 1] [--what queue|log]… [--way tcp|rest]…
 * [--seconds 15] [--longest 5] [--lease 2000] [--rate 400] [--keep folder]`: processes that push, work, append and follow
 * while everything goes wrong, checked afterwards. Exit code 1 when a promise is broken; such histories are kept, one record
 * a line.
 */
export async function federationHistories(args: readonly string[]): Promise<void> {
  const { seed, minutes, histories, messages, runs, keep, ...times } = readHistoriesArguments(args);
  const endsAt = performance.now() + minutes * 60_000;
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-federation-"));
  const pools = { queue: createQueuePool(), log: createLogPool() };
  const series = runs.map((run) => ({ run, tally: emptyTally() }));
  const acked = (): number => series.reduce((sum, { tally }) => sum + (tally.counts["acked"] ?? 0), 0);
  const flood = times.perSecond;
  console.log(`Histories of queues and logs from --seed ${seed}`);
  try {
    for (let nth = 0; nth < histories && performance.now() < endsAt && acked() < messages; nth++) {
      for (const { run, tally } of series) {
        const [what, way] = run;
        const options = { seed: seed + nth, way, ...times };
        const done: Run =
          what === "queue"
            ? await runQueueHistory(drawQueuePlan({ ...options, flood }), pools.queue, folder)
            : await runLogHistory(drawLogPlan(options), pools.log, folder);
        addTo(tally, done);
        if (done.verdict.violations.length > 0) report(what, done, keep);
      }
      console.log(`${new Date().toISOString()}: ${nth + 1} of each, ${acked()} acknowledged messages`);
    }
  } finally {
    await Promise.all([pools.queue.close(), pools.log.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n--seed ${seed}\n\n${tallyTable(series.map(({ run, tally }) => [run.join(", "), tally] as const))}\n`);
}

/** What somebody needs who wants to see it again. */
function report(what: "queue" | "log", { plan, records, verdict }: Run, keep: string): void {
  process.exitCode = 1;
  const { seed, way, durability } = plan;
  mkdirSync(keep, { recursive: true });
  const file = join(keep, `${what}-${seed}-${way}.jsonl`);
  writeFileSync(file, [plan, ...verdict.violations, ...records].map((line) => `${JSON.stringify(line)}\n`).join(""));
  console.log(
    `\n--histories 1 --seed ${seed} --what ${what} --way ${way} (${durability}) breaks ${verdict.violations.length} promises; ${file}`,
  );
  for (const violation of verdict.violations.slice(0, 5)) console.log(JSON.stringify(violation));
}
