// Builds packages with turbo, without its banner.
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

/** Builds a package and everything below it, or everything. @returns whether it succeeded; its output is shown when not. */
export function build(packageName) {
  const scope = packageName ? [`--filter=${packageName}...`] : [];
  const { status, stdout, stderr } = spawnSync("turbo", ["run", "build", "--output-logs=errors-only", ...scope], {
    cwd: root,
    env: toolEnvironment,
    encoding: "utf8",
  });
  if (status !== 0) console.error(`${stdout ?? ""}${stderr ?? ""}`);
  return status === 0;
}
