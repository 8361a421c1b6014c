import { readdirSync } from "node:fs";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

// `@continuum-cache/source` makes workspace imports resolve to src/*.ts, so tests need no build.
const conditions = ["@continuum-cache/source", "node"];

/**
 * Those which measure time on whole fleets of processes and those which take every processor come last, one file at a time:
 * they would starve each other's deadlines. All others mostly wait for servers and timers, so two files at once keep a small
 * machine busy.
 */
const last = ["packages/continuum-cache", "internal/histories", "apps/bench", "examples/nextjs"];
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
    ...turnOf(root),
    // These limits find what hangs. No verdict depends on the speed of the machine, so they are generous.
    expect: { poll: { interval: 10, timeout: 60_000 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});

const folders = ["packages", "internal", "apps", "examples"].flatMap((parent) =>
  readdirSync(parent).map((name) => `${parent}/${name}`),
);

export default defineConfig({ test: { projects: ["tools", ...folders].map(project) } });
