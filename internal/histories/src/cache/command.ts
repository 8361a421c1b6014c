import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatHistory, type RunSummary, runHistories, tellStory } from "./index.ts";
import { readOptions } from "./options.ts";
import { startRestGateway } from "./rest-gateway.ts";

/**
 * The long run of the history checker: `outages.js --minutes 20 --seed 1 --keep folder`. A line each minute, a summary at
 * the end, exit code 1 when a promise was broken; the histories that break one are kept.
 */
const { keep, ...asked } = readOptions(process.argv.slice(2));
const beganAt = performance.now();
let nextLineAt = beganAt + 60_000;

const summary = await runHistories({
  ...asked,
  clientModule: join(import.meta.dirname, "outages", "client-process.js"),
  gateways: { rest: startRestGateway },
  onHistory(history, violations, soFar) {
    if (violations[0]) {
      mkdirSync(keep, { recursive: true });
      writeFileSync(join(keep, `${history.seed}.jsonl`), formatHistory(history));
      console.log(`\n${tellStory(history, violations[0])}\n`);
    }
    if (performance.now() >= nextLineAt) {
      nextLineAt += 60_000;
      console.log(line(soFar));
    }
  },
});

console.log(`\n${line(summary)}`);
for (const [name, counts] of Object.entries({
  "histories by kind": summary.byVariant,
  faults: summary.faults,
  violations: summary.byKind,
  undecided: summary.undecided,
})) {
  console.log(`${name}: ${JSON.stringify(counts)}`);
}
process.exitCode = violationsIn(summary) > 0 ? 1 : 0;

function line(run: RunSummary): string {
  const minutes = ((performance.now() - beganAt) / 60_000).toFixed(1);
  return `${minutes} min, seed ${run.seed}: ${run.histories} histories, ${run.calls} calls, ${run.outages} times local, ${run.interruptedReplays} replays interrupted, ${violationsIn(run)} violations`;
}

function violationsIn({ byKind }: RunSummary): number {
  return Object.values(byKind).reduce((sum, count) => sum + count, 0);
}
