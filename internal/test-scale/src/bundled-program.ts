import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";

const bundles = new Map<string, Promise<string>>();

/**
 * Bundles a TypeScript program of the workspace into one file for Node, once per process, from the sources as they are:
 * no build is needed. The file starts ten times as fast as the sources do through a loader, and finds the packages of
 * its own package.
 *
 * @param source - The path of the program's main file.
 * @returns the path of the bundle.
 */
export function bundledProgram(source: string): Promise<string> {
  const found = bundles.get(source);
  if (found) return found;
  const bundle = bundleOf(source);
  bundles.set(source, bundle);
  return bundle;
}

async function bundleOf(source: string): Promise<string> {
  const owner = packageOf(source);
  const folder = join(owner, "node_modules", ".cache", "programs");
  const { outputFiles } = await build({
    entryPoints: [source],
    write: false,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@continuum-cache/source"],
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
    logLevel: "error",
  });
  // Another process may bundle the same program: each puts a whole file in its place.
  const bundle = join(folder, `${relative(owner, source).replace(/\W+/g, "-")}.mjs`);
  const draft = `${bundle}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(draft, outputFiles[0]?.contents ?? "");
  renameSync(draft, bundle);
  return bundle;
}

function packageOf(file: string): string {
  const folder = dirname(file);
  return existsSync(join(folder, "package.json")) ? folder : packageOf(folder);
}
