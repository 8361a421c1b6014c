import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { repeatCommand, runs, scaled, scaledBy, testScale, testSeed } from "../src/test-scale.ts";

it("multiplies repetitions by the scale, and keeps what a test needs at least", () => {
  expect([0.1, 1, 5, 100].map((scale) => scaledBy(scale, 30))).toEqual([3, 30, 150, 3_000]);
  expect([scaledBy(0.1, 3), scaledBy(0.1, 30, 20)]).toEqual([1, 20]);
  expect(scaled(1_000)).toBe(scaledBy(testScale, 1_000));
});

it("gives every loop the seed of the run", () => {
  expect(runs(200)).toEqual({ numRuns: scaled(200), seed: testSeed });
  expect(repeatCommand("core", "test/a.test.ts")).toContain(`TEST_SEED=${testSeed} `);
});

it.each([{ TEST_SCALE: "many" }, { TEST_SCALE: "0" }, { TEST_SEED: "-1" }])(
  "rejects %j and names the variable",
  (variables) => {
    const module = JSON.stringify(join(import.meta.dirname, "../src/test-scale.ts"));
    const args = ["--import", "tsx", "--eval", `await import(${module})`, "--input-type=module"];
    const { stderr } = spawnSync(process.execPath, args, { env: { ...process.env, ...variables }, encoding: "utf8" });
    const [[name, value]] = Object.entries(variables) as [[string, string]];
    expect(stderr).toContain(`Expected the variable ${name} to be a number above 0, got "${value}"`);
  },
);
