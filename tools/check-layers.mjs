// Checks the table in layers.mjs against every import in the sources: no upward import, no cycle between files, no Node
// built-in where a package must run on the edge, nothing imported that package.json does not name.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import { layers, rooms } from "./layers.mjs";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const builtins = new Set(builtinModules);
const sourcesOf = (folder) => listFiles(join(root, folder, "src"));
const manifests = Object.fromEntries(
  Object.keys(layers).map((folder) => [folder, JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))]),
);
const folderOf = Object.fromEntries(Object.entries(manifests).map(([folder, manifest]) => [manifest.name, folder]));
const problems = [];
/** file -> files that it imports when it runs; type imports can't make a cycle. */
const graph = new Map();

for (const folder of undeclaredFolders())
  problems.push(`${folder}: not in tools/layers.mjs; say there what it may import`);
for (const [folder, layer] of Object.entries(layers)) {
  for (const file of sourcesOf(folder)) {
    graph.set(file, []);
    for (const { specifier, typeOnly } of importsOf(file)) checkImport(folder, layer, file, specifier, typeOnly);
  }
}
for (const cycle of cycles()) problems.push(`import cycle: ${cycle.map(short).join(" -> ")}`);

if (problems.length > 0) {
  console.error(problems.join("\n"));
  console.error(
    `\n${problems.length} problem(s). The layers are in tools/layers.mjs, their reasons in ARCHITECTURE.md.`,
  );
  process.exit(1);
}
console.log(`Layers: ${graph.size} files in ${Object.keys(layers).length} packages, all imports downward, no cycle.`);

function checkImport(folder, layer, file, specifier, typeOnly) {
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    if (!existsSync(target)) problems.push(`${short(file)}: ${specifier} does not exist`);
    if (!typeOnly) graph.get(file).push(target);
    if (rooms[folder]) checkRoom(folder, file, target);
    return;
  }
  // The second is of Workers themselves.
  if (specifier.startsWith("#") || specifier.startsWith("cloudflare:")) return;
  if (isBuiltin(specifier)) {
    const allowed = !layer.edge || layer.nodeFiles?.includes(relative(join(root, folder), file));
    if (!allowed) problems.push(`${short(file)}: imports ${specifier}, but ${folder} must run on the edge`);
    return;
  }
  const name = packageNameOf(specifier);
  const target = folderOf[name];
  if (target && target !== folder && !layer.imports.includes(target)) {
    problems.push(`${short(file)}: imports ${name}, which is not below ${folder}`);
  }
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifests[folder];
  const isTypesOnly = typeOnly && `@types/${name}` in devDependencies;
  const isInlined = layer.inlined?.includes(name) && name in devDependencies;
  if (!(name in dependencies) && !(name in peerDependencies) && !isTypesOnly && !isInlined) {
    problems.push(`${short(file)}: imports ${name}, which ${folder}/package.json does not depend on`);
  }
}

function checkRoom(folder, file, target) {
  const roomOf = (path) => relative(join(root, folder, "src"), path).split("/");
  const [from, to] = [file, target].map((path) => roomOf(path)[0].replace(/\.ts$/, ""));
  const allowed = rooms[folder][from];
  if (allowed === undefined && roomOf(file).length > 1)
    problems.push(`${short(file)}: ${from} has no row in tools/layers.mjs`);
  if (allowed === undefined || from === to || allowed.includes(to)) return;
  problems.push(`${short(file)}: ${folder}/src/${from} may not import ${to}`);
}

function importsOf(file) {
  const { module, errors } = parseSync(file, readFileSync(file, "utf8"));
  if (errors.length > 0) problems.push(`${short(file)}: ${errors[0].message}`);
  const fromEntries = (entries, kind) =>
    entries.length > 0 && entries.every((entry) => entry.isType) ? { typeOnly: true, kind } : { typeOnly: false, kind };
  const statics = module.staticImports.map((each) => ({
    specifier: each.moduleRequest.value,
    ...fromEntries(each.entries, "import"),
  }));
  const reexports = module.staticExports.flatMap((each) =>
    each.entries
      .filter((entry) => entry.moduleRequest)
      .map((entry) => ({ specifier: entry.moduleRequest.value, typeOnly: entry.isType, kind: "export" })),
  );
  const source = readFileSync(file, "utf8");
  const dynamics = module.dynamicImports
    .map((each) => /^["'`](.+)["'`]$/.exec(source.slice(each.moduleRequest.start, each.moduleRequest.end))?.[1])
    .filter((specifier) => specifier !== undefined)
    .map((specifier) => ({ specifier, typeOnly: false, kind: "dynamic" }));
  return [...statics, ...reexports, ...dynamics];
}

/** Each cycle once, found by a depth-first walk. */
function cycles() {
  const found = [];
  const state = new Map();
  const walk = (file, path) => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, "open");
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

function undeclaredFolders() {
  return ["packages", "internal", "apps"]
    .flatMap((parent) => listFolders(join(root, parent)))
    .filter((folder) => existsSync(join(root, folder, "package.json")) && !layers[folder]);
}

function isBuiltin(specifier) {
  return specifier.startsWith("node:") || builtins.has(specifier.split("/")[0]);
}

function packageNameOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function short(file) {
  return relative(root, file);
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function listFolders(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(root, join(folder, entry.name)));
}
