import { scaled, testSeed } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { countOf } from "../../src/limiter/checker.ts";
import { measureExactness } from "../../src/limiter/run.ts";
import { gravest } from "../../src/limiter/violation.ts";

const run = { seed: testSeed, processes: 3, decisions: scaled(600, 3_000), rest: false };

describe("three processes deciding on one Redis", () => {
  it("let no window hold more than the limit, and refuse nobody who has room", async () => {
    const verdict = await measureExactness("ours-deny-cache", run);
    expect(verdict.decisions).toBeGreaterThanOrEqual(run.decisions);
    expect(verdict.outcomes.failed).toBe(0);
    expect(Math.min(verdict.outcomes.allowed, verdict.outcomes.refused, verdict.refunds)).toBeGreaterThan(0);
    expect(verdict.violations.filter(({ kind }) => gravest.includes(kind))).toEqual([]);
  });

  it("are caught when they count in fixed windows and charge what they refuse", async () => {
    const verdict = await measureExactness("flexible", run);
    expect(countOf(verdict, "over-limit") + countOf(verdict, "false-refusal")).toBeGreaterThan(0);
  });
});
