// All checks, in the order in which they fail fastest: build (which checks types), lint, layers, types of the tests, tests.
// Further arguments go to vitest.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, root, toolEnvironment } from "./build.mjs";
import { ensureRedisServer } from "./redis-server.mjs";

const report = join(root, ".cache", "tests.json");
mkdirSync(join(root, ".cache"), { recursive: true });
rmSync(report, { force: true });

const env = { ...toolEnvironment, REDIS_SERVER: ensureRedisServer() };
const command =
  ([name, ...args]) =>
  () =>
    spawnSync(name, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
const steps = [
  ["build", () => build()],
  ["lint", command(["biome", "check", "."])],
  ["layers", command([process.execPath, "tools/check-layers.mjs"])],
  ["types", command(["tsc", "-p", "tsconfig.test.json"])],
  ["types of the example", command(["tsc", "-p", "examples/nextjs"])],
  [
    "tests",
    command([
      "vitest",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ]),
  ],
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
console.log(`\n${failed.length === 0 ? "Everything holds." : `Failed: ${failed.join(", ")}.`}`);
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed.length === 0 ? 0 : 1);

function counts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failures: numFailedTests, skipped: numPendingTests };
  } catch {
    // vitest wrote no report: it did not get as far as running a test.
    return { passed: 0, failures: 1, skipped: 0 };
  }
}
