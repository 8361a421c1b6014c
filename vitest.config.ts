import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

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
 * at once keep a small machine busy. Those of the third start fleets of processes. The fault matrix measures time: one
 * file at a time, or its files would starve each other's deadlines.
 */
const groups: readonly { readonly projects: readonly string[]; readonly maxWorkers: number }[] = [
  { projects: ["federation-queue", "pubsub", "journal-file"], maxWorkers: 4 },
  { projects: [], maxWorkers: 2 }, // all others
  { projects: ["continuum-cache", "histories", "bench", "nextjs"], maxWorkers: 2 },
  { projects: ["fault-matrix"], maxWorkers: 1 },
];
const turnOf = (name: string) => {
  const named = groups.findIndex(({ projects }) => projects.includes(name));
  const groupOrder = named < 0 ? 1 : named;
  return { sequence: { groupOrder }, maxWorkers: groups[groupOrder]?.maxWorkers ?? 1 };
};

/** The files of a project run one after another, so that they can share a process. */
class ByProject extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const names = [...new Set(sorted.map(({ project }) => project.name))];
    return names.flatMap((name) => sorted.filter(({ project }) => project.name === name));
  }
}

const project = (root: string, { name = basename(root), include = "test/**/*.test.ts", without = "" } = {}) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name,
    root,
    include: [include],
    exclude: [...exclude, without].filter(Boolean),
    // The files of a project share processes, and so the modules that they import.
    isolate: false,
    setupFiles: [
      `${import.meta.dirname}/internal/test-scale/src/print-how-to-repeat.ts`,
      `${import.meta.dirname}/internal/test-scale/src/leave-nothing-behind.ts`,
      ...(existsSync(`${root}/test/setup.ts`) ? [`${import.meta.dirname}/${root}/test/setup.ts`] : []),
    ],
    ...turnOf(name),
    // These limits find what hangs. No verdict depends on the speed of the machine, so they are generous.
    expect: { poll: { interval: 10, timeout: 60_000 } },
    testTimeout: 180_000 * limitFactor,
    hookTimeout: 180_000,
  },
});

const folders = ["packages", "internal", "apps", "examples"].flatMap((parent) =>
  readdirSync(parent).map((name) => `${parent}/${name}`),
);

const cacheRoot = "packages/continuum-cache";
const matrix = "test/fault-matrix/*.test.ts";
const tested = ["tools", ...folders.filter((folder) => existsSync(`${folder}/test`))];

export default defineConfig({
  test: {
    sequence: { sequencer: ByProject },
    projects: [
      ...tested.map((root) => project(root, root === cacheRoot ? { without: matrix } : {})),
      project(cacheRoot, { name: "fault-matrix", include: matrix }),
    ],
  },
});
