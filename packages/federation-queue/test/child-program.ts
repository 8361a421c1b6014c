import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

/** Bundles a program for Node before the tests of a file, and removes it after them. @returns where it will lie. */
export function childProgram(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-child-"));
  const bundle = join(folder, "child.mjs");
  beforeAll(async () => {
    await build({
      entryPoints: [source],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@continuum-cache/source"],
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      logLevel: "error",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return bundle;
}
