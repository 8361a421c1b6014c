import { readdirSync } from "node:fs";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

// `@continuum-cache/source` makes workspace imports resolve to src/*.ts, so tests need no build.
const conditions = ["@continuum-cache/source", "node"];

const project = (root: string): TestProjectConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: root.split("/").at(-1) as string,
    root,
    include: ["test/**/*.test.ts"],
    // The measurements start fleets of processes, and `next build` takes every processor: both would starve the deadlines
    // of other tests.
    sequence: { groupOrder: ["apps/bench", "examples/nextjs"].indexOf(root) + 1 },
    // These limits find what hangs. No verdict depends on the speed of the machine, so they are generous.
    expect: { poll: { interval: 10, timeout: 60_000 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});

const folders = ["packages", "apps", "examples"].flatMap((parent) =>
  readdirSync(parent).map((name) => `${parent}/${name}`),
);

// Most tests wait for servers and timers, so two files at once keep a small machine busy.
export default defineConfig({ test: { maxWorkers: 2, projects: ["tools", ...folders].map(project) } });
