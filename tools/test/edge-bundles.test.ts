import { join, resolve } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { publishablePackages } from "../publishing/publishable-packages.ts";
import { nodeOnly } from "../sizes/budgets.ts";

const root = resolve(import.meta.dirname, "../..");
const { layers } = (await import(resolve(root, "tools/layers.mjs"))) as {
  layers: Record<string, { imports: readonly string[]; edge: boolean }>;
};

const entries = publishablePackages(root).flatMap(({ folder, manifest }) =>
  Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const source = typeof target === "string" ? undefined : target["@continuum-cache/source"];
    const entry = join(manifest.name, subpath);
    const isForEdge = layers[folder]?.edge === true && !nodeOnly.has(entry);
    return source === undefined || !isForEdge ? [] : [{ entry, folder, source }];
  }),
);

describe("in a Worker", () => {
  it.each(entries)("$entry loads no Node built-in, and no package of ours but those below it", async (each) => {
    const { folder, source } = each;
    const { metafile } = await build({
      stdin: { contents: `export * from ${JSON.stringify(source)};`, resolveDir: join(root, folder) },
      absWorkingDir: root,
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
      logLevel: "silent",
    });
    const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter((one) => one.external));
    expect(external).toEqual([]);
    const allowed = [...withAllBelow(folder)].map((name) => `${name}/src/`);
    const ours = Object.keys(metafile.inputs).filter((file) => /^(packages|apps|internal)\//.test(file));
    expect(ours.filter((file) => !allowed.some((start) => file.startsWith(start)))).toEqual([]);
  });
});

function withAllBelow(folder: string): ReadonlySet<string> {
  const found = new Set([folder]);
  for (const each of found) for (const below of layers[each]?.imports ?? []) found.add(below);
  return found;
}
