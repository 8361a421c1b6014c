import { existsSync, readdirSync } from "node:fs";
import { configDefaults, defineConfig, type TestProjectConfiguration } from "vitest/config";

// `@continuum-cache/source` makes workspace imports resolve to src/*.ts, so tests need no build.
const conditions = ["@continuum-cache/source", "node"];

/** `*.long.test.ts` runs with `test --all`, where one is named, and nowhere else. */
const isLong = process.env["TEST_LONG"] === "1" || process.argv.some((argument) => argument.endsWith(".long.test.ts"));
const exclude = [...configDefaults.exclude, ...(isLong ? [] : ["**/*.long.test.ts"])];

// The whole run has one seed, which a failing test prints.
process.env["TEST_SEED"] ||= String(1 + (Date.now() % 2 ** 30));
const limitFactor = Math.max(1, Number(process.env["TEST_SCALE"] || 1));

/**
 * The projects run group after group. Tests of the first group mostly wait for leases, timers and disks, so four files
 * at once keep a small machine busy. Tests of the last groups measure time on whole fleets of processes or take every
 * processor: one file at a time, or they would starve each other's deadlines.
 */
const waiting = ["packages/federation-queue", "packages/pubsub", "packages/journal-file"];
const fleets = ["packages/continuum-cache", "internal/histories", "apps/bench", "examples/nextjs"];
const turnOf = (root: string) => {
  if (waiting.includes(root)) return { sequence: { groupOrder: 0 }, maxWorkers: 4 };
  const fleet = fleets.indexOf(root);
  return fleet < 0
    ? { sequence: { groupOrder: 1 }, maxWorkers: 2 }
    : { sequence: { groupOrder: 2 + fleet }, maxWorkers: 1 };
};

const project = (root: string): TestProjectConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: root.split("/").at(-1) as string,
    root,
    include: ["test/**/*.test.ts"],
    exclude,
    setupFiles: [`${import.meta.dirname}/internal/test-scale/src/print-how-to-repeat.ts`],
    ...turnOf(root),
    // These limits find what hangs. No verdict depends on the speed of the machine, so they are generous.
    expect: { poll: { interval: 10, timeout: 60_000 } },
    testTimeout: 180_000 * limitFactor,
    hookTimeout: 180_000,
  },
});

const folders = ["packages", "internal", "apps", "examples"].flatMap((parent) =>
  readdirSync(parent).map((name) => `${parent}/${name}`),
);

export default defineConfig({
  test: { projects: ["tools", ...folders.filter((folder) => existsSync(`${folder}/test`))].map(project) },
});
