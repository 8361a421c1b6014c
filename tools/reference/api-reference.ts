import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { publishablePackages, readManifest } from "../publishing/publishable-packages.ts";
import { attemptCommand } from "../publishing/run-command.ts";
import { toolFolder } from "../publishing/tool-folder.ts";

export interface ApiReference {
  /** Where its first page is. */
  readonly page: string;
  /** Exports without a description, links that lead nowhere, types that are used and not exported. */
  readonly complaints: readonly string[];
}

const root = resolve(import.meta.dirname, "../..");

/** Writes the API reference of every public entry of every package, from its doc comments, as HTML. */
export async function writeApiReference(out: string): Promise<ApiReference> {
  const { dependencies } = readManifest(import.meta.dirname);
  const tool = await toolFolder(root, "reference", { dependencies });
  mkdirSync(out, { recursive: true });
  const options = join(out, "..", "reference-options.json");
  writeFileSync(options, JSON.stringify(typedocOptions(out)));
  const { status, stdout, stderr } = await attemptCommand(
    [process.execPath, join(tool, "node_modules/typedoc/bin/typedoc"), "--options", options],
    { cwd: root, env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" }, timeoutMs: 240_000 },
  );
  const complaints = `${stdout}${stderr}`.split("\n").filter((line) => /^\[(warning|error)\]|error TS/.test(line));
  if (status !== 0 && complaints.length === 0) throw new Error(`typedoc ended with ${status}:\n${stdout}${stderr}`);
  return { page: join(out, "index.html"), complaints };
}

function typedocOptions(out: string): object {
  return {
    name: "continuum-cache",
    entryPoints: publishablePackages(root).flatMap(({ folder, manifest }) =>
      Object.values(manifest.exports ?? {}).flatMap((entry) => {
        const source = typeof entry === "string" ? undefined : entry["@continuum-cache/source"];
        return source === undefined ? [] : [join(root, folder, source)];
      }),
    ),
    plugin: [join(import.meta.dirname, "module-names.mjs")],
    tsconfig: join(import.meta.dirname, "sources.tsconfig.json"),
    basePath: root,
    out,
    // The README links to folders, which are no pages here.
    readme: "none",
    disableGit: true,
    sourceLinkTemplate: "https://github.com/continuum-cache/continuum-cache/blob/main/{path}#L{line}",
    validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: true },
    requiredToBeDocumented: ["Enum", "Variable", "Function", "Class", "Interface", "TypeAlias"],
    treatWarningsAsErrors: true,
  };
}
