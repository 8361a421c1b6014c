// A typedoc plugin: modules are called as users import them, `@continuum-cache/core/msgpack`, not by their files.
import { readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

/** @param {{ converter: { on(event: string, listener: (context: any) => void): void } }} app */
export function load(app) {
  app.converter.on("resolveBegin", ({ project }) => {
    for (const module of project.children ?? []) {
      const file = module.sources?.[0]?.fullFileName;
      if (file) module.name = importNameOf(file);
    }
  });
}

function importNameOf(file) {
  const folder = file.slice(0, file.lastIndexOf(`${sep}src${sep}`));
  const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const source = `./${relative(folder, file).split(sep).join("/")}`;
  const [subpath] = Object.entries(exports).find(([, entry]) => entry["@continuum-cache/source"] === source) ?? [];
  if (subpath === undefined) throw new Error(`${source} is no public entry of ${name} in ${dirname(folder)}`);
  return join(name, subpath);
}
