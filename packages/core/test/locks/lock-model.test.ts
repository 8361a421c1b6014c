import { expect, it } from "vitest";
import { allRules, exploreLocks, type Rules } from "./lock-model.ts";

it("of two processes, frozen at any step and with answers that come at any time, never do both hold the lock", () => {
  const { states, broken } = exploreLocks(allRules);
  expect(broken).toBeUndefined();
  expect(states).toBeGreaterThan(1_000);
});

it.each<keyof Rules>(["countsFromSending", "usesLargerDifference", "serverChecksHolder"])(
  "is not safe without the rule %s",
  (rule) => {
    expect(exploreLocks({ ...allRules, [rule]: false }).broken).toBe("two processes find that they hold the lock");
  },
);
