import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

it.each(["index", "federation-queue"])("reaches no Node built-in from %s, and no package but core", async (entry) => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    conditions: ["@continuum-cache/source", "workerd"],
    logLevel: "silent",
  });
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter((one) => one.external));
  expect(external).toEqual([]);
  const others = Object.keys(metafile.inputs).filter(
    (file) => !/(^|\/)(core|federation-queue)\/src\/|^(\.\.\/)*src\//.test(file),
  );
  expect(others).toEqual([]);
});
