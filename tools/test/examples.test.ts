import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Example, guideExamples, packageExamples } from "../examples/examples.ts";
import { workspacePackages } from "../publishing/publishable-packages.ts";

const root = resolve(import.meta.dirname, "../..");
const work = join(root, ".cache", "examples");

/** Of the guides at the root, and of every package and app. */
const examples = (): Example[] => [
  ...guideExamples(root),
  ...workspacePackages(root).flatMap(({ folder }) => packageExamples(root, folder)),
];

/** Each public entry of our packages, by name; and third-party modules where the packages that use them keep them. */
function paths(): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const name of readdirSync(join(root, "packages"))) {
    const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
    for (const [subpath, target] of Object.entries<Record<string, string>>(manifest.exports)) {
      const source = target["@continuum-cache/source"];
      if (source) found[join(manifest.name, subpath)] = [join(root, "packages", name, source)];
    }
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const installed = join(root, "packages", name, "node_modules", dependency);
      if (!dependency.startsWith("@continuum-cache/") && dependency !== "continuum-cache")
        found[dependency] ??= [installed];
    }
  }
  return found;
}

describe("every example in a README or a doc comment", () => {
  const all = examples();
  let output = "";

  beforeAll(() => {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    for (const [index, { code }] of all.entries())
      writeFileSync(join(work, `example-${index}.ts`), `${code}\nexport {};\n`);
    const tsconfig = {
      extends: relative(work, join(root, "tsconfig.test.json")),
      compilerOptions: { paths: paths(), allowImportingTsExtensions: true, noUnusedLocals: false },
      include: ["./*.ts"],
    };
    writeFileSync(join(work, "tsconfig.json"), JSON.stringify(tsconfig));
    output = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", work], { encoding: "utf8" }).stdout;
  });

  it("is found", () => {
    expect(all.length).toBeGreaterThan(20);
  });

  it.each(all.map(({ file, line }, index) => [`${file}:${line}`, index] as const))("compiles: %s", (_, index) => {
    const complaints = output.split("\n").filter((line) => line.includes(`example-${index}.ts`));
    expect(complaints).toEqual([]);
  });

  it("compiles without any other complaint", () => {
    expect(output.split("\n").filter((line) => line.includes("error") && !line.includes("example-"))).toEqual([]);
  });
});
