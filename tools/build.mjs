// Runs tasks of turbo.json without turbo's banner.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** The environment in which the repository's own binaries are found. */
export const toolEnvironment = {
  ...process.env,
  PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
};

/** Builds a package and everything below it, or everything. @returns whether it succeeded. */
export function build(packageName) {
  return runTasks(["build"], packageName ? [`--filter=${packageName}...`] : []);
}

/** Runs tasks, all of them also where one fails; what failed is printed. @returns whether all succeeded. */
export function runTasks(tasks, more = []) {
  const args = ["run", ...tasks, "--continue=dependencies-successful", "--output-logs=errors-only", ...more];
  const { status, stdout, stderr } = spawnSync("turbo", args, { cwd: root, env: toolEnvironment, encoding: "utf8" });
  if (status !== 0) console.error(`${stdout ?? ""}${stderr ?? ""}`);
  return status === 0;
}
