import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { countOf } from "../../src/limiter/checker.ts";
import { runLimiter } from "../../src/limiter/run.ts";
import { gravest } from "../../src/limiter/violation.ts";
import { seed } from "../settings.ts";

const run = { seed, processes: 3, decisions: 3_000, way: "tcp" } as const;
const folder = mkdtempSync(join(tmpdir(), "continuum-cache-limiter-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`three processes deciding on one Redis (TEST_SEED=${seed})`, { timeout: 15 * 60_000 }, () => {
  it("let no window hold more than the limit, and refuse no call that has room", async () => {
    const { verdict } = await runLimiter("ours-deny-cache", run, folder);
    expect(verdict.decisions).toBeGreaterThanOrEqual(run.decisions);
    expect(verdict.outcomes.failed).toBe(0);
    expect(Math.min(verdict.outcomes.allowed, verdict.outcomes.refused, verdict.refunds)).toBeGreaterThan(0);
    expect(verdict.violations.filter(({ kind }) => gravest.includes(kind))).toEqual([]);
  });

  it("are caught when they count in fixed windows and charge what they refuse", async () => {
    const { verdict } = await runLimiter("flexible", run, folder);
    expect(countOf(verdict, "over-limit") + countOf(verdict, "false-refusal")).toBeGreaterThan(0);
  });
});
