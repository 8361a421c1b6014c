// Bundles packages: one file for each entry point, and one for what it shares with later ones, in place of one file for
// each source. `node ../../tools/bundle-package.mjs` in a package's folder after `tsc -b`, which writes the
// declarations; or with several folders.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { layers } from "./layers.mjs";
import { withPureInitializers } from "./pure-initializers.mjs";

/**
 * Writes `dist/**.js` of the package in `folder`, with source maps, and removes what no longer belongs there. A file
 * that stays as it was is not touched, so that other processes may read it meanwhile.
 */
export async function bundlePackage(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const dist = join(folder, "dist");
  const { inlined = [] } = layers[relative(resolve(import.meta.dirname, ".."), folder)] ?? {};
  const bundled = (entryPoints, shared) => ({
    absWorkingDir: folder,
    entryPoints,
    outbase: "src",
    outdir: "dist",
    chunkNames: "shared-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    sourcemap: true,
    // Sources are published beside the bundles.
    sourcesContent: false,
    plugins: [sources(folder, shared), externalExcept(inlined)],
    write: false,
    metafile: true,
    logLevel: "warning",
    // An import for the sake of global types alone.
    logOverride: { "ignored-bare-import": "silent" },
  });
  const chosen = entryPointsOf(manifest);
  const { metafile: graph } = await build(bundled(chosen, new Map()));
  // What is loaded later has a path of its own too, as its source has.
  const entryPoints = [...new Set([...chosen, ...loadedLater(graph)])];
  const { outputFiles, metafile } = await build(bundled(entryPoints, sharedBy(entryPoints, graph)));
  serveKitDirectly(outputFiles, metafile, folder);
  const written = new Set(outputFiles.map(({ path }) => path));
  const noticeOf = noticesIn(metafile, folder);
  for (const path of filesIn(dist)) if (/\.js(\.map)?$/.test(path) && !written.has(path)) rmSync(path);
  for (const { path, contents } of outputFiles)
    writeChanged(path, Buffer.concat([contents, Buffer.from(noticeOf(path))]));
}

/** The sources of everything that can be imported: public entries, what `imports` chooses among, and programs. */
function entryPointsOf({ exports = {}, imports = {}, bin = {} }) {
  const sources = [exports, imports].flatMap((map) =>
    Object.values(map).flatMap((target) => leavesOf(target["@continuum-cache/source"])),
  );
  const programs = Object.values(bin).map((path) => path.replace("./dist/", "./src/").replace(/\.js$/, ".ts"));
  return [...new Set([...sources, ...programs])];
}

/** The sources that are imported by `import()`. */
function loadedLater({ inputs }) {
  return Object.values(inputs).flatMap(({ imports }) =>
    imports.flatMap(({ path, kind, external }) => (kind === "dynamic-import" && !external ? [`./${path}`] : [])),
  );
}

function leavesOf(target) {
  if (target === undefined) return [];
  return typeof target === "string" ? [target] : Object.values(target).flatMap(leavesOf);
}

const kit = "./src/kit.ts";

/**
 * Gives the file that holds the sources of `./kit` its name. esbuild writes them into a shared file, and beside it a
 * `kit.js` that only passes its names on: one more file to open at each start.
 */
function serveKitDirectly(outputFiles, { outputs }, folder) {
  const [path, kitFile] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === kit.slice(2)) ?? [];
  if (path === undefined) return;
  const [shared, ...others] = kitFile.imports.filter(({ kind, external }) => kind === "import-statement" && !external);
  const missing = kitFile.exports.filter((name) => !outputs[shared.path].exports.includes(name));
  if (others.length > 0 || missing.length > 0) {
    const odd = [...others.map((other) => other.path), ...missing];
    throw new Error(`${path} does more than to pass on names of ${shared.path}: ${odd.join(", ")}`);
  }
  const [sharedName, kitName] = [shared.path, path].map((each) => relative("dist", each).replace(/\.js$/, ""));
  for (const ending of [".js", ".js.map"])
    outputFiles.splice(
      outputFiles.findIndex((file) => file.path === join(folder, "dist", kitName + ending)),
      1,
    );
  for (const [index, { path: written, text, contents }] of outputFiles.entries()) {
    outputFiles[index] = {
      path: written.replace(join(folder, "dist", sharedName), join(folder, "dist", kitName)),
      contents: written.endsWith(".js") ? Buffer.from(text.replaceAll(`${sharedName}.js`, `${kitName}.js`)) : contents,
    };
  }
  outputs[path] = outputs[shared.path];
  delete outputs[shared.path];
}

/**
 * The sources that each entry point has to import, so that all that one of them shares with later ones becomes one
 * file. By itself esbuild makes a file for each set of entry points that share something, and Node takes 0.4 ms to find
 * and open a file, however small.
 */
function sharedBy(entryPoints, { inputs }) {
  // A package's own kit is one file that all its entry points load.
  const base = entryPoints.includes(kit) ? [kit.slice(2)] : [];
  const reached = new Map(entryPoints.map((entry) => [entry, staticClosure([entry.slice(2), ...base], inputs)]));
  for (;;) {
    const groups = new Map(entryPoints.map((entry) => [entry, []]));
    for (const source of new Set([...reached.values()].flatMap((set) => [...set]))) {
      const [first, second] = entryPoints.filter((entry) => reached.get(entry).has(source));
      if (second !== undefined) groups.get(first).push(source);
    }
    const shared = new Map(
      entryPoints.map((entry) => {
        const own = reached.get(entry);
        return [entry, [...groups.values()].filter((group) => group.some((source) => own.has(source))).flat()];
      }),
    );
    if (entryPoints.every((entry) => shared.get(entry).every((source) => reached.get(entry).has(source))))
      return shared;
    for (const entry of entryPoints)
      reached.set(entry, staticClosure([...reached.get(entry), ...shared.get(entry)], inputs));
  }
}

/** The sources that static imports reach from some of them. */
function staticClosure(from, inputs) {
  const reached = new Set(from);
  for (const source of reached)
    for (const { path, kind, external } of inputs[source]?.imports ?? [])
      if (kind === "import-statement" && !external) reached.add(path);
  return reached;
}

/** Reads sources. To those of the entry points it adds imports of all that they share. */
function sources(folder, shared) {
  const atOf = (path) => join(folder, path);
  const added = new Map([...shared].map(([entry, others]) => [atOf(entry), others.map(atOf)]));
  const isShared = new Set([...added.values()].flat());
  return {
    name: "sources",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const imports = (added.get(path) ?? [])
          .filter((other) => other !== path)
          .map((other) => `\nimport "${other}";`);
        return {
          contents: withPureInitializers(path, await readFile(path, "utf8")) + imports.join(""),
          loader: "ts",
        };
      });
      onResolve({ filter: /^[./].*\.ts$/ }, ({ path: asked, resolveDir }) => {
        const path = resolve(resolveDir, asked);
        // Else an import for the sake of nothing would be left out.
        return isShared.has(path) ? { path, sideEffects: true } : undefined;
      });
    },
  };
}

/** A dependency is loaded by its name, and so is what an `imports` condition chooses. */
const externalExcept = (inlined) => ({
  name: "external",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || inlined.some((name) => path === name || path.startsWith(`${name}/`))
        ? undefined
        : { path, external: true },
    );
  },
});

/** The licenses of what others have written of a file: their code comes with their notice. */
function noticesIn({ outputs }, folder) {
  const licenses = new Map();
  for (const [path, { inputs }] of Object.entries(outputs)) {
    const folders = Object.keys(inputs).flatMap(
      (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
    );
    licenses.set(join(folder, path), new Set(folders));
  }
  return (path) =>
    [...(licenses.get(path) ?? [])]
      .map((each) => {
        const { name } = JSON.parse(readFileSync(join(folder, each, "package.json"), "utf8"));
        return `\n/*\nIncludes ${name}:\n\n${readFileSync(join(folder, each, "LICENSE"), "utf8").trim()}\n*/\n`;
      })
      .join("");
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function writeChanged(path, contents) {
  try {
    if (readFileSync(path).equals(contents)) return;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
  }
  writeFileSync(path, contents);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folders = process.argv.slice(2);
  for (const folder of folders.length > 0 ? folders : ["."]) await bundlePackage(resolve(folder));
}
