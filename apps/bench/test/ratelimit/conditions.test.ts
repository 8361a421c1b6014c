import { describe, expect, it } from "vitest";
import { conditions } from "../../src/ratelimit/conditions/conditions.ts";
import { measureCondition } from "../../src/ratelimit/conditions/measure-condition.ts";

/** `RATELIMIT_SECONDS` is how long each condition lasts. `RATELIMIT_SEED` repeats the pauses of an earlier run. */
const seconds = Number(process.env["RATELIMIT_SECONDS"] ?? 3);
const seed = Number(process.env["RATELIMIT_SEED"] ?? Date.now() % 2 ** 31);

describe(`no window holds more than the limit (RATELIMIT_SEED=${seed})`, () => {
  it.each(conditions.map((condition) => [condition.name, condition] as const))(
    "%s",
    {
      timeout: seconds * 1_000 + 120_000,
    },
    async (_, condition) => {
      const { verdict } = await measureCondition(condition, {
        algorithm: "sliding-window",
        seed,
        forMs: seconds * 1_000,
      });
      expect(verdict.decisions).toBeGreaterThan(0);
      expect(verdict.violations.filter(({ kind }) => kind.endsWith("over-limit"))).toEqual([]);
      // Nor is everything refused, except where the processes have never reached Redis.
      expect(verdict.outcomes.allowed).toBeGreaterThan(0);
    },
  );
});
