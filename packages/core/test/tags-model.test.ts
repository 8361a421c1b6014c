import { describe, expect, it } from "vitest";
import { allRules, exploreTags, type Rules } from "./tags-model.ts";

const oneLate = [false, true];

describe("every interleaving of loads, invalidations, evictions and a reader of values with a tag", () => {
  it.each<[late: boolean[], mostInvalidations: number]>([
    [[false, false], 2],
    [oneLate, 1],
    [[true, false], 1],
    [[true, true], 1],
  ])("serves no value whose load began before one of them (tags known late: %j)", (late, mostInvalidations) => {
    const { states, broken } = exploreTags(late, allRules, mostInvalidations);
    expect(broken).toBeUndefined();
    expect(states).toBeGreaterThan(5_000);
  });

  const stale = "a value is served whose load began before an invalidation";
  const lost = "a value is lost without a reason";
  it.each<[keyof Rules, string]>([
    ["markersBeforeLoad", stale],
    ["createdBeforeLoad", stale],
    ["createdIfAbsent", lost],
    ["absentIsMiss", stale],
    ["extendedInPlace", stale],
    ["latestCompared", stale],
    ["latestComparedAgain", stale],
    ["joinersCompare", stale],
  ])("is not safe without the rule `%s`: %s", (rule, broken) => {
    const rules = { ...allRules, [rule]: false };
    // A late tag is the second loader's; a reader joins the first one's load.
    expect(exploreTags(oneLate, rules, 1).broken).toBe(broken);
  });
});
