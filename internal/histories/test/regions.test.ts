import { testSeed } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { runRegions } from "../src/regions/run.ts";

describe("three instances in two regions that are parted and joined", () => {
  it.each(["tcp", "rest"] as const)("have one state, and one copy of each event, over %s", async (way) => {
    const { isOneState, copies, heldBack } = await runRegions({
      seed: testSeed,
      way,
      partitionMs: 2_000,
      calmMs: 500,
      perSecond: 40,
    });
    expect(isOneState).toBe(true);
    expect(heldBack).toBeGreaterThan(20);
    for (const { appended, lengths } of copies) expect(lengths).toEqual([appended, appended]);
  });
});
