import { describe, expect, it } from "vitest";
import { allRules, exploreLeases, type Rules } from "./lease-model.ts";

describe("every interleaving of processes that want one cold key, a writer, and a kill at any step", () => {
  it.each([[[6, 6]], [[4, 6]], [[3, 3, 3]]])(
    "with deadlines of %j: one loads at a time, nothing stale is stored, and none waits too long",
    (deadlines) => {
      const { states, broken } = exploreLeases(deadlines, allRules);
      expect(broken).toBeUndefined();
      expect(states).toBeGreaterThan(1_000);
    },
  );

  it.each([
    ["leaseInKey", "a stale value stays stored"],
    ["storesIfOwn", "a stale value stays stored"],
    ["staleLeaseIsTaken", "a killed winner is not replaced"],
    ["waitersHaveTimers", "a process waits beyond its deadline"],
  ] as const)("is not safe without the rule %s: %s", (rule, broken) => {
    expect(exploreLeases([6, 6], { ...allRules, [rule]: false }).broken).toBe(broken);
  });

  it("is not safe where the expiry and the takeover are both missing: what a killed winner leaves stays", () => {
    const rules: Rules = { ...allRules, leaseExpires: false, staleLeaseIsTaken: false };
    expect(exploreLeases([6, 6], rules).broken).toBe("a killed winner is not replaced");
  });
});
