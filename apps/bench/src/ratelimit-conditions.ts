import { parseArgs } from "node:util";
import { conditions } from "./ratelimit/conditions/conditions.ts";
import {
  type ConditionRun,
  conditionsTable,
  measureCondition,
  readAlgorithm,
} from "./ratelimit/conditions/measure-condition.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/**
 * `bench ratelimit-conditions [--seconds 60] [--seed 1] [--algorithm sliding-window]`: what processes let pass when
 * Redis is cold, far away, slow or away, or their machine is busy. Exit code 1 when a window held more than the
 * algorithm promises.
 */
export async function ratelimitConditions(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: "1" },
      algorithm: { type: "string", default: "sliding-window" },
    },
  });
  const forMs = wholeNumber("seconds", values.seconds) * 1_000;
  const seed = wholeNumber("seed", values.seed);
  const algorithm = readAlgorithm(values.algorithm);
  const runs: ConditionRun[] = [];
  for (const condition of conditions) runs.push(await measureCondition(condition, { algorithm, seed, forMs }));
  console.log(`${conditionsTable(runs)}\n`);
  const isOver = runs.some(({ verdict }) => verdict.violations.some(({ kind }) => kind.endsWith("over-limit")));
  if (isOver) process.exitCode = 1;
}
