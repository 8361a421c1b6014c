import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
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

  it("share the state of a part that is loaded later with the entry", () => {
    const program = `
      import { sharedStreamsOf } from "@continuum-cache/core/kit";
      import { PubSub } from "@continuum-cache/pubsub";
      const transport = { name: "none", send: async () => [], subscribe: async () => ({ close: async () => {} }) };
      const pubsub = new PubSub({ transport });
      const before = sharedStreamsOf(transport).length;
      await pubsub.subscribe("news");
      console.log(before, sharedStreamsOf(transport).length);
      process.exit();`;
    const cwd = join(root, "apps/bench");
    const args = ["--input-type=module", "--eval", program];
    expect(execFileSync(process.execPath, args, { cwd, encoding: "utf8" })).toBe("0 1\n");
  });

  it.each([
    ["continuum-cache", 19],
    ["continuum-cache/rest", 7],
    ["@continuum-cache/core", 2],
  ])("of %s are %i files at most before anything is used", async (entry, most) => {
    const files = await loadedAtOnce(entry);
    expect(files.length).toBeLessThanOrEqual(most);
    expect(files.filter((file) => loadedLater.test(file))).toEqual([]);
  });

  it.each(["continuum-cache", "continuum-cache/rest", "@continuum-cache/transport-rest", "@continuum-cache/pubsub"])(
    "of %s import each other one way only",
    async (entry) => {
      const importsOf = await staticImports(entry);
      const files = reachedFrom("<stdin>", importsOf).filter((file) => file.includes("packages/"));
      expect(files.filter((file) => reachedFrom(file, importsOf).includes(file))).toEqual([]);
    },
  );

  it.each([
    ["is constructed", "new UpstashCache(rest)", []],
    ["is closed unused", "await new UpstashCache(rest).close()", []],
    ["reads without a fallback", "await new UpstashCache({ ...rest, fallback: false }).get('k').catch(() => {})", []],
    ["reads", "await new UpstashCache(rest).get('k')", ["fallback-memory/dist/index.js"]],
    ["is local and reads", "await new UpstashCache({ mode: 'local' }).get('k')", ["fallback-memory/dist/index.js"]],
    ["publishes", "await new UpstashCache({ mode: 'local' }).publish('c', 1)", ["fallback-memory/dist/index.js"]],
    [
      "publishes with a history",
      "await new UpstashCache(rest).publish('c', 1, { replay: true }).catch(() => {})",
      ["fallback-memory/dist/index.js", "pubsub/dist/publishing/publisher.js"],
    ],
    [
      "is subscribed to",
      "const pubsub = new UpstashCache({ mode: 'local' }).pubsub(); await pubsub.subscribe('c'); await pubsub.close()",
      ["core/dist/streams.js", "fallback-memory/dist/index.js", "pubsub/dist/sources/channel-sources.js"],
    ],
  ])("load nothing more, when an UpstashCache %s, than that needs", async (_, work, needed) => {
    const program = `
      import { UpstashCache } from "continuum-cache";
      const rest = { restUrl: "http://127.0.0.1:9", restToken: "t", retries: 0, timeout: "1s", env: {} };
      ${work};
      process.exit();`;
    expect(loadedBy(program)).toEqual(needed);
  });

  it("carry the license of what they have taken in", () => {
    const written = readFileSync(join(root, "packages/core/dist/msgpack.js"), "utf8");
    expect(written).toContain("Includes @msgpack/msgpack:\n\nCopyright 2019 The MessagePack Community.");
    expect(written).not.toMatch(/from "@msgpack/);
  });
});

/** The files of what is loaded later that a process on Node really loads for a program. */
function loadedBy(program: string): string[] {
  const hooks = `
    import { writeSync } from "node:fs";
    export async function load(url, context, next) { writeSync(2, "loads " + url + "\\n"); return next(url, context); }`;
  const asUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(asUrl(hooks))});`;
  const { stderr, status } = spawnSync(
    process.execPath,
    ["--import", asUrl(register), "--input-type=module", "--eval", program],
    { cwd: join(root, "apps/bench"), encoding: "utf8" },
  );
  expect(status, stderr).toBe(0);
  const files = [...stderr.matchAll(/^loads file:\/\/(.*)$/gm)].map(([, path]) => path ?? "");
  return files
    .filter((file) => loadedLater.test(file) && !file.includes("/shared-"))
    .map((file) => file.replace(/^.*\/packages\//, ""))
    .sort();
}

/** What none of the entries above loads with itself. */
const loadedLater =
  /node_modules\/(ioredis|@upstash|fflate)|transport-tcp|fallback-memory\/dist\/index|core\/dist\/streams|pubsub\/dist\/(sources|publishing)/;

/** The published files that Node loads for an import of `entry`: those that static imports reach. */
async function loadedAtOnce(entry: string): Promise<string[]> {
  const importsOf = await staticImports(entry);
  return reachedFrom("<stdin>", importsOf);
}

/** What each published file that an import of `entry` may load imports as it is loaded. */
async function staticImports(entry: string): Promise<(file: string) => string[]> {
  const { metafile } = await build({
    stdin: { contents: `import ${JSON.stringify(entry)};`, resolveDir: join(root, "apps/bench") },
    bundle: true,
    format: "esm",
    platform: "node",
    // As Node does, which leaves nothing out.
    ignoreAnnotations: true,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  return (file) =>
    (metafile.inputs[file]?.imports ?? []).flatMap(({ path, kind, external }) =>
      kind === "import-statement" && !external ? [path] : [],
    );
}

function reachedFrom(file: string, importsOf: (file: string) => string[]): string[] {
  const reached = new Set(importsOf(file));
  for (const each of reached) for (const next of importsOf(each)) reached.add(next);
  return [...reached];
}
