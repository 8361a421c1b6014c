import { expect, it } from "vitest";
import { watchMaps } from "../src/watched-maps.ts";

it("counts what is looked up and iterated over, and leaves maps as they were afterwards", async () => {
  const { get } = Map.prototype;
  const map = new Map([
    ["a", 1],
    ["long".repeat(5), 2],
  ]);
  const use = await watchMaps(() => {
    expect([map.get("a"), map.has("long".repeat(5)), [...map], [...new Set(map.values())].length]).toEqual([
      1,
      true,
      [
        ["a", 1],
        ["long".repeat(5), 2],
      ],
      2,
    ]);
  });
  expect(use.longestText).toBe(20);
  expect(use.steps).toBeGreaterThanOrEqual(8);
  expect(Map.prototype.get).toBe(get);
});
