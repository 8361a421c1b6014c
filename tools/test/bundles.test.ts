import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { publishablePackages } from "../publishing/publishable-packages.ts";
import { bundleSize } from "../sizes/bundle-size.ts";

const root = resolve(import.meta.dirname, "../..");
const { withPureInitializers } = (await import(resolve(root, "tools/pure-initializers.mjs"))) as {
  withPureInitializers(path: string, source: string): string;
};

describe("constants at the top of a module", () => {
  it.each([
    ["a call", "const a = make(1);"],
    ["what is made by new", "export const a: Map<string, number> = new Map([[b, 1]]);"],
    ["a call within an object", "const a = { b: [make()] } as const;"],
    ["a member, which may be a getter", "const a = table.entry;"],
    ["a spread", "const a = [...list];"],
  ])("are marked as free of side effects: %s", (_, source) => {
    const marked = withPureInitializers("a.ts", source);
    expect(marked).toMatch(/= \/\* @__PURE__ \*\/ \(\(\) => \(.*\)\)\(\);$/);
    // What stands before and behind stays.
    expect(marked.replace("/* @__PURE__ */ (() => (", "").replace("))();", ";")).toBe(source);
  });

  it.each([
    ["a function", "const a = () => make();"],
    ["plain data", 'const a = { b: ["c", 1] };'],
    ["a statement of its own", "register(1);"],
    ["a declaration without a value", "let a: string | undefined;"],
  ])("stay as they are: %s", (_, source) => {
    expect(withPureInitializers("a.ts", source)).toBe(source);
  });
});

describe("bundled packages", () => {
  beforeAll(() => {
    const folders = publishablePackages(root).map(({ folder }) => folder);
    execFileSync(process.execPath, ["tools/bundle-package.mjs", ...folders], { cwd: root });
  });

  it.each([
    ["Cache", "@continuum-cache/core"],
    ["keyPattern", "@continuum-cache/core"],
    ["UpstashCache", "continuum-cache"],
    ["UpstashCache", "continuum-cache/rest"],
  ])("leave out of a bundle what %s of %s does not use, as their sources do", async (name, entry) => {
    const code = `export { ${name} } from ${JSON.stringify(entry)};`;
    const folder = join(root, "packages/continuum-cache");
    const sources = await bundleSize(code, folder, "edge");
    const published = await bundleSize(code, folder, "edge", "published");
    // The marks themselves cost some bytes.
    expect(published.gzip).toBeLessThanOrEqual(sources.gzip * 1.02 + 100);
  });

  it("carry the license of what they have taken in", () => {
    const written = readFileSync(join(root, "packages/core/dist/msgpack.js"), "utf8");
    expect(written).toContain("Includes @msgpack/msgpack:\n\nCopyright 2019 The MessagePack Community.");
    expect(written).not.toMatch(/from "@msgpack/);
  });
});
