import { describe, expect, it } from "vitest";
import { allRules, explore, type Rules, type Size } from "./model/near-model.ts";

const one: Size = { processes: 1, writes: 2, reads: 2, looks: 1, trims: 1 };

describe("every interleaving of reads, looks, writes and trims of one key", () => {
  it.each<Size>([
    one,
    { processes: 1, writes: 2, reads: 1, looks: 2, trims: 0 },
    { processes: 1, writes: 3, reads: 1, looks: 1, trims: 0 },
    { processes: 2, writes: 1, reads: 1, looks: 1, trims: 0 },
  ])("$processes processes, $writes writes, $reads reads, $looks looks, $trims trims: no hit is too old", (size) => {
    const { states, broken } = explore(size, allRules);
    expect(broken).toBeUndefined();
    expect(states).toBeGreaterThan(1_000);
  });

  it.each<[keyof Rules, string]>([
    ["isAtomic", "a hit is older than the bound"],
    ["checksAnnouncements", "a hit is older than the bound"],
    ["checksOwnWrites", "a process does not read its own write"],
    ["wantsCursorEntry", "an old value is never repaired"],
    ["hasEpochs", "a hit is older than the bound"],
    ["countsFromStart", "a hit is older than the bound"],
  ])("is not safe without the rule %s", (rule, expected) => {
    expect(explore(one, { ...allRules, [rule]: false }).broken).toBe(expected);
  });
});
