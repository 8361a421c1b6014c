// knip reads every file of the repository, which takes longer than all other checks together.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

describe("knip", () => {
  it("finds no file, export, dependency or catalog entry without a use", () => {
    const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin/knip"), ["--no-progress"], {
      cwd: root,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(`${stdout}${stderr}`.trim()).toBe("");
    expect(status).toBe(0);
  }, 130_000);
});
