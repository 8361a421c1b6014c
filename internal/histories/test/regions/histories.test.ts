import { describe, expect, it } from "vitest";
import { applyRules } from "../../src/checking/rules.ts";
import { type RegionsResult, regionsRules, runRegions } from "../../src/regions/run.ts";
import { seed } from "../settings.ts";

describe(`three instances in two regions that are parted and joined (TEST_SEED=${seed})`, () => {
  it.each(["tcp", "rest"] as const)(
    "have one state, and one copy of each event, over %s",
    { timeout: 15 * 60_000 },
    async (way) => {
      const result = await runRegions({ seed, way, partitionMs: 2_000, calmMs: 500, perSecond: 40 });
      expect(result.isOneState).toBe(true);
      expect(result.heldBack).toBeGreaterThan(20);
      for (const { appended, lengths } of result.copies) expect(lengths).toEqual([appended, appended]);
      expect(applyRules(regionsRules, result).violations).toEqual([]);
    },
  );
});

describe("the checker of regions", () => {
  const well: RegionsResult = {
    copies: [{ origin: "east-1", appended: 3, lengths: [3, 3] }],
    gaps: [],
    ...{ heldBack: 2, wereParted: true, isOneState: true, seen: [], convergedMs: 1, settledMs: 1, delaysMs: [] },
  };
  const brokenBy = (rest: Partial<RegionsResult>): string[] =>
    applyRules(regionsRules, { ...well, ...rest }).violations.map(({ kind }) => kind);

  it("objects to different states, missing and double copies, gaps, and a partition that was none", () => {
    expect(brokenBy({})).toEqual([]);
    expect(brokenBy({ isOneState: false })).toEqual(["different-states"]);
    expect(brokenBy({ copies: [{ origin: "east-1", appended: 3, lengths: [3, 2] }] })).toEqual(["wrong-copies"]);
    expect(brokenBy({ copies: [{ origin: "east-1", appended: 3, lengths: [3, 4] }] })).toEqual(["wrong-copies"]);
    expect(brokenBy({ gaps: ["west-1 was told that 1 events of east-1 are missing"] })).toEqual(["false-gap"]);
    expect(brokenBy({ wereParted: false })).toEqual(["not-parted"]);
  });
});
