import { describe, expect, it } from "vitest";
import { allRules, visit } from "./freshness-model.ts";

describe("the model of freshness", () => {
  it("holds in every interleaving: one loader, no old value after a delete, no load that stays lost", () => {
    const { states, isStuck } = visit(allRules);
    expect(states).toBeGreaterThan(100);
    expect(isStuck).toBe(false);
  });

  it.each([
    ["outdatesLoads", "The old value is back after the delete"],
    ["outdatesReads", "A call after the delete was served the old value"],
    ["singleFlight", "Two loaders run for one key"],
  ] as const)("fails without the rule %s", (rule, violation) => {
    expect(() => visit({ ...allRules, [rule]: false })).toThrow(violation);
  });

  it("gets stuck behind a lost load without the rule takesOver", () => {
    expect(visit({ ...allRules, takesOver: false }).isStuck).toBe(true);
  });
});
