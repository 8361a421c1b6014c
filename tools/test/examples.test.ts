import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const work = join(root, ".cache", "examples");

interface Example {
  readonly origin: string;
  readonly code: string;
}

/** Every ```ts fence of the READMEs and guides, and of the doc comments. */
function examples(): Example[] {
  const guides = readdirSync(root).filter((name) => name.endsWith(".md"));
  const packages = ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name)),
  );
  const readmes = packages.map((folder) => join(folder, "README.md")).filter((file) => existsSync(join(root, file)));
  const sources = packages.flatMap((folder) =>
    readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, "src", name)),
  );
  return [
    ...[...guides, ...readmes].flatMap((file) => fences(file, readFileSync(join(root, file), "utf8"))),
    ...sources.flatMap((file) => fences(file, readFileSync(join(root, file), "utf8").replace(/^ *\* ?/gm, ""))),
  ];
}

function fences(file: string, text: string): Example[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => ({
    origin: `${file}:${text.slice(0, match.index).split("\n").length}`,
    code: match[1] as string,
  }));
}

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
  }, 120_000);

  it("is found", () => {
    expect(all.length).toBeGreaterThan(20);
  });

  it.each(all.map(({ origin }, index) => [origin, index] as const))("compiles: %s", (_, index) => {
    const complaints = output.split("\n").filter((line) => line.includes(`example-${index}.ts`));
    expect(complaints).toEqual([]);
  });

  it("compiles without any other complaint", () => {
    expect(output.split("\n").filter((line) => line.includes("error") && !line.includes("example-"))).toEqual([]);
  });
});
