import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import {
  type Failure,
  formatHistory,
  type RunOptions,
  type RunSummary,
  runHistories,
  tellStory,
} from "../../src/cache/index.ts";
import { startRestGateway } from "../../src/cache/rest-gateway.ts";

/** `OUTAGE_SEED` and `OUTAGE_HISTORIES` set these two alone. */
const seed = Number(process.env["OUTAGE_SEED"] ?? testSeed);
const count = Number(process.env["OUTAGE_HISTORIES"] ?? scaled(400, 40));

const run = (clientModule: string, more: Partial<RunOptions>): Promise<RunSummary> =>
  runHistories({
    clientModule: join(import.meta.dirname, clientModule),
    execArgv: ["--conditions=@continuum-cache/source", "--import", "tsx"],
    gateways: { rest: startRestGateway },
    seed,
    ...more,
  });

describe("random histories through outages", () => {
  it(`break no promise in ${count} histories`, async () => {
    const summary = await run("../../src/cache/worker-process.ts", { count });
    console.log(report("UpstashCache", summary));
    expect(summary.histories).toBeGreaterThanOrEqual(count);
    if (count >= 200) expect(summary.interruptedReplays).toBeGreaterThan(0);
    if (summary.failures.length > 0) throw new Error(storyOf(summary));
  });

  it("show how a fallback without journal and fence loses, resurrects and miscounts", async () => {
    const summary = await run("plain-client-process.ts", { count: Math.min(count, 300) });
    console.log(report("The plain fallback", summary));
    // On a machine that is too busy the checker objects as well, though it leaves open who is to blame.
    for (const kind of ["resurrection", "lost"] as const) {
      expect((summary.byKind[kind] ?? 0) + (summary.undecided[kind] ?? 0), kind).toBeGreaterThan(0);
    }
    const sums = (["counter", "list"] as const).map((kind) => summary.byKind[kind] ?? summary.undecided[kind] ?? 0);
    expect(Math.min(...sums)).toBeGreaterThan(0);
  });
});

function report(what: string, summary: RunSummary): string {
  const { failures, seed: from, histories, calls, outages, interruptedReplays, failed, ...rest } = summary;
  return [
    `${what}: ${failed} of ${histories} histories break a promise (TEST_SEED=${from}); ${calls} calls, ${outages} times local, ${interruptedReplays} replays interrupted`,
    ...Object.entries(rest).map(([name, counts]) => `  ${name}: ${JSON.stringify(counts)}`),
  ].join("\n");
}

/** The first violations in words, and where their histories are kept. */
function storyOf({ failures, byKind }: RunSummary): string {
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-histories-"));
  const kept = failures.map(({ history }: Failure) => {
    const path = join(folder, `${history.seed}.jsonl`);
    writeFileSync(path, formatHistory(history));
    return path;
  });
  const stories = failures
    .slice(0, 3)
    .flatMap(({ history, violations }) => violations.slice(0, 1).map((violation) => tellStory(history, violation)));
  return [`Promises broken: ${JSON.stringify(byKind)}`, ...stories, "Kept histories:", ...kept].join("\n\n");
}
