import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLongRun } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { runHistories } from "../../src/cache/run-histories.ts";
import type { Outcome } from "../../src/run/subject.ts";
import { addTo, brokenIn, emptyTally, type Tally } from "../../src/run/tally.ts";
import { histories, seed } from "../settings.ts";

const count = histories(isLongRun ? 400 : 100);
/** Of so many histories that break a promise the records are kept, and of some the first violation is told. */
const [mostKept, mostTold] = [20, 3];

interface Run {
  readonly tally: Tally;
  readonly failures: readonly Outcome[];
}

async function run(count: number, module?: string): Promise<Run> {
  const tally = emptyTally();
  const failures: Outcome[] = [];
  const span = { seed, histories: count, goesOn: () => true, ways: ["tcp", "rest"] as const };
  await runHistories({ ...span, ...(module !== undefined && { module }) }, (outcome) => {
    addTo(tally, outcome);
    if (outcome.violations.length > 0 && failures.length < mostKept) failures.push(outcome);
  });
  return { tally, failures };
}

describe(`random histories through outages (SEED=${seed})`, () => {
  it(
    `break no promise in ${count} histories`,
    async () => {
      const { tally, failures } = await run(count);
      console.log(report("UpstashCache", tally));
      expect(tally.histories).toBeGreaterThanOrEqual(count);
      if (count >= 200) expect(tally.counts["interruptedReplays"]).toBeGreaterThan(0);
      if (failures.length > 0) throw new Error(storyOf(tally, failures));
    },
    15 * 60_000,
  );

  it(
    "show how a fallback without journal and fence loses, resurrects and miscounts",
    async () => {
      const { tally } = await run(
        Math.min(count, isLongRun ? 300 : 60),
        join(import.meta.dirname, "plain-client-process"),
      );
      console.log(report("The plain fallback", tally));
      // On a machine that is too busy the checker objects as well, though it leaves open what is to blame.
      const found = (kind: string): number => (tally.violations[kind] ?? 0) + (tally.counts[`undecided: ${kind}`] ?? 0);
      for (const kind of ["resurrection", "lost", "counter", "list"]) expect(found(kind), kind).toBeGreaterThan(0);
    },
    5 * 60_000,
  );
});

const report = (what: string, tally: Tally): string =>
  [
    `${what}: ${brokenIn(tally)} violations in ${tally.histories} histories from SEED=${seed}`,
    JSON.stringify(tally),
  ].join("\n  ");

/** The first violations in words, and where their histories are kept. */
function storyOf({ violations }: Tally, failures: readonly Outcome[]): string {
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-histories-"));
  const kept = failures.map(({ seed, records }) => {
    const path = join(folder, `${seed}.jsonl`);
    writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    return path;
  });
  const stories = failures
    .slice(0, mostTold)
    .flatMap(({ violations: [first], tell }) => (first && tell ? [tell(first)] : []));
  return [`Promises broken: ${JSON.stringify(violations)}`, ...stories, "Kept histories:", ...kept].join("\n\n");
}
