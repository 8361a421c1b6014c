import { isLongRun, scaled, testSeed } from "@continuum-cache/test-scale";
import { describe, expect, it } from "vitest";
import { conditions } from "../../src/ratelimit/conditions/conditions.ts";
import { measureCondition } from "../../src/ratelimit/conditions/measure-condition.ts";

/** How long each condition lasts. */
const forMs = scaled(600, 3_000);

/** Four in `test`, from a place that the seed names; all of them in `test --all`. */
const from = testSeed % conditions.length;
const drawn = isLongRun ? conditions : [...conditions, ...conditions].slice(from, from + 4);

describe("no window holds more than the limit", () => {
  it.each(drawn.map((condition) => [condition.name, condition] as const))("%s", async (_, condition) => {
    const { verdict } = await measureCondition(condition, {
      algorithm: "sliding-window",
      seed: testSeed,
      forMs,
    });
    expect(verdict.decisions).toBeGreaterThan(0);
    expect(verdict.violations.filter(({ kind }) => kind.endsWith("over-limit"))).toEqual([]);
    // Nor is everything refused, except where the processes have never reached Redis.
    expect(verdict.outcomes.allowed).toBeGreaterThan(0);
  });
});
