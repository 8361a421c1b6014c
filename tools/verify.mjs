// Runs all checks: `node tools/verify.mjs [--all] [arguments of vitest]`. `--all` adds the long tests and repeats every
// loop more often. The build and the static checks are tasks of turbo, which skips what has not changed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runTasks, toolEnvironment } from "./build.mjs";
import { ensureRedisServer } from "./redis-server.mjs";

/** How often loops run without and with `--all`, as multiples of the number that each states. */
const scales = { short: "0.4", all: "5" };

const isAll = process.argv.includes("--all");
const vitestArguments = process.argv.slice(2).filter((argument) => argument !== "--all");
const report = join(root, ".cache", "tests.json");
mkdirSync(join(root, ".cache"), { recursive: true });
rmSync(report, { force: true });

const steps = [
  ["build, lint, layers, style, types", () => runTasks(["build", "lint", "layers", "style", "types"])],
  [isAll ? "all tests" : "tests", runTests],
];
const failed = [];
for (const [name, run] of steps) {
  console.log(`\n── ${name}`);
  const startedAt = performance.now();
  const succeeded = run();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`── ${name}: ${succeeded ? "ok" : "FAILED"} (${seconds} s)`);
  if (!succeeded) failed.push(name);
}

const { passed, failures, skipped } = counts();
console.log(`\n${failed.length === 0 ? "Everything holds." : `Failed: ${failed.join("; ")}.`}`);
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed.length === 0 ? 0 : 1);

function runTests() {
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...vitestArguments];
  const { status } = spawnSync("vitest", args, {
    cwd: root,
    env: {
      ...toolEnvironment,
      REDIS_SERVER: ensureRedisServer(),
      TEST_SCALE: process.env.TEST_SCALE || (isAll ? scales.all : scales.short),
      ...(isAll && { TEST_LONG: "1" }),
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return status === 0;
}

function counts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failures: numFailedTests, skipped: numPendingTests };
  } catch {
    // vitest wrote no report: it did not get as far as running a test.
    return { passed: 0, failures: 1, skipped: 0 };
  }
}
