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
 * Tests that measure time on whole fleets of processes and tests that take every processor come last, one file at a
 * time: they would starve each other's deadlines. All others mostly wait for servers and timers, so two files at once
 * keep a small machine busy.
 */
const last = ["packages/continuum-cache", "apps/bench", "examples/nextjs"];
const turnOf = (root: string) => {
  const groupOrder = last.indexOf(root) + 1;
  return { sequence: { groupOrder }, maxWorkers: groupOrder === 0 ? 2 : 1 };
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
