import { describe, expect, it } from "vitest";
import { runRegions } from "../src/regions/run.ts";

describe("three instances in two regions that are parted and joined", () => {
  it.each(["tcp", "rest"] as const)(
    "have one state, and one copy of each event, over %s",
    { timeout: 60_000 },
    async (way) => {
      const seed = Date.now() % 2 ** 31;
      const { isOneState, copies, heldBack } = await runRegions({
        seed,
        way,
        partitionMs: 2_000,
        calmMs: 500,
        perSecond: 40,
      });
      expect(isOneState).toBe(true);
      expect(heldBack).toBeGreaterThan(20);
      for (const { appended, lengths } of copies) expect(lengths).toEqual([appended, appended]);
    },
  );
});
