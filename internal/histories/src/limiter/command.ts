import { factsOf } from "./clients/catalog.ts";
import { readExactnessArguments } from "./options.ts";
import { exactnessTable } from "./report.ts";
import { type ExactnessRun, measureExactness } from "./run.ts";
import { gravest } from "./violation.ts";

/**
 * `bench ratelimit-exactness [--decisions 1000000] [--processes 8] [--seed 1] [--rest] [--contender ours]…`: random decisions by
 * many processes on one Redis, checked afterwards. Exit code 1 when one of ours breaks a promise.
 */
export async function ratelimitExactness(args: readonly string[]): Promise<void> {
  const { contenders, ...options } = readExactnessArguments(args);
  console.log(
    `Rate limits decided by ${options.processes} processes over ${options.rest ? "REST" : "TCP"}, --seed ${options.seed}. ` +
      "@upstash/ratelimit over TCP runs without the first line of its scripts, which plain Redis refuses; " +
      "rate-limiter-flexible without the windows that are no whole seconds.\n",
  );
  const runs: [string, ExactnessRun][] = [];
  for (const name of contenders) {
    const { title, overRest, hasReceipts } = factsOf(name);
    if (options.rest && !overRest) continue;
    const run = await measureExactness(name, options);
    runs.push([title, run]);
    const grave = run.violations.filter(({ kind }) => gravest.includes(kind));
    if (!hasReceipts || grave.length === 0) continue;
    process.exitCode = 1;
    console.log(`${title}, for example:`);
    for (const violation of grave.slice(0, 10)) console.log(JSON.stringify(violation));
  }
  console.log(`\n${exactnessTable(runs)}\n`);
}
