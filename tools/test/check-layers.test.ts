import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const isSource = (path: string) => !/node_modules|\/(dist|test|\.cache|\.turbo)(\/|$)/.test(path);

describe("the layer check", () => {
  let copy: string;
  const check = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "tools/check-layers.mjs"), copy], {
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  };

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "layers-"));
    for (const folder of ["packages", "internal", "apps"])
      cpSync(join(root, folder), join(copy, folder), { recursive: true, filter: isSource });
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it("finds nothing to object to in this repository", () => {
    expect(check()).toMatchObject({ status: 0 });
  });

  it.each([
    [
      "an upward import",
      "packages/core/src/index.ts",
      'import "@continuum-cache/transport-rest";',
      /not below packages\/core/,
    ],
    [
      "a backend importing another",
      "packages/transport-rest/src/index.ts",
      'export * from "@continuum-cache/transport-tcp";',
      /not below/,
    ],
    ["a Node built-in on the edge", "packages/core/src/index.ts", 'import "node:fs";', /must run on the edge/],
    [
      "a bare Node built-in on the edge",
      "packages/fallback-memory/src/index.ts",
      'import { Buffer } from "buffer";',
      /must run on the edge/,
    ],
    [
      "a dynamic import upward",
      "packages/core/src/index.ts",
      'await import("@continuum-cache/fallback-memory");',
      /not below/,
    ],
    ["an undeclared dependency", "packages/core/src/index.ts", 'import "lodash";', /does not depend on/],
    [
      "a folder of core reaching up",
      "packages/core/src/errors/quoted.ts",
      'import "../cache/cache.ts";',
      /core\/src\/errors may not import cache/,
    ],
  ])("objects to %s", (_, file, line, message) => {
    const text = readFileSync(join(copy, file), "utf8");
    writeFileSync(join(copy, file), `${text}\n${line}\n`);
    const { status, output } = check();
    writeFileSync(join(copy, file), text);
    expect(status).toBe(1);
    expect(output).toMatch(message);
  });

  it("objects to a cycle between files, and to a package without a row", () => {
    writeFileSync(join(copy, "packages/core/src/one.ts"), 'import "./two.ts";\n');
    writeFileSync(join(copy, "packages/core/src/two.ts"), 'import "./one.ts";\n');
    cpSync(join(copy, "packages/core"), join(copy, "packages/stranger"), { recursive: true });
    const { output } = check();
    expect(output).toMatch(/import cycle: packages\/core\/src\/one.ts -> packages\/core\/src\/two.ts/);
    expect(output).toMatch(/packages\/stranger: not in tools\/layers.mjs/);
  });
});
