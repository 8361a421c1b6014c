import { gzipSync } from "node:zlib";
import { type BuildResult, build, type Metafile } from "esbuild";

export interface BundleSize {
  readonly minified: number;
  readonly gzip: number;
  /** What of it is loaded before anything is used, where a bundler gives what `import()` loads files of its own. */
  readonly gzipAtOnce: number;
  /** Bytes in the minified bundle by source file, the largest first. */
  readonly parts: readonly { readonly file: string; readonly bytes: number }[];
}

// Why not size-limit (12.1, with @size-limit/esbuild and @size-limit/file 13.1): it adds up the gzipped sizes of all
// output files, or of those with a given name. It does not follow the static imports of an entry, so with code
// splitting it can't tell what is loaded at once from what `import()` loads later. It also takes no check per entry of
// `exports` and states no sizes for READMEs, so budgets, labels and sentences would remain ours.

/** Built-ins that only Node has; a bundle for the edge may not ask for them, a bundle for Node leaves them outside. */
const external = ["node:*"];

/**
 * What `code` costs as a minified, gzipped bundle of one file, as an edge platform's bundler would make it (`node`: as
 * one for a server would). It is read in `folder`: its imports are what that package may import, from the sources or as
 * published.
 */
export async function bundleSize(
  code: string,
  folder: string,
  runtime: "edge" | "node",
  from: "sources" | "published" = "sources",
): Promise<BundleSize> {
  const conditions = runtime === "edge" ? ["workerd", "worker", "browser"] : ["node"];
  const options = {
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: runtime === "edge" ? "browser" : "node",
    conditions: from === "sources" ? ["@continuum-cache/source", ...conditions] : conditions,
    external,
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "silent",
  } as const;
  const { metafile, outputFiles } = await build(options);
  const [output] = outputFiles;
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const parts = Object.entries(inputs).map(([file, { bytesInOutput }]) => ({ file, bytes: bytesInOutput }));
  const gzip = gzipOf(output?.contents ?? new Uint8Array());
  return {
    minified: output?.contents.length ?? 0,
    gzip,
    // Splitting puts all that a part loaded later shares with the rest into one file, also what the rest does not use:
    // then one file for all is the smaller choice.
    gzipAtOnce: hasLaterParts(metafile) ? Math.min(gzip, atOnce(await build({ ...options, splitting: true }))) : gzip,
    parts: parts.sort((a, b) => b.bytes - a.bytes),
  };
}

const gzipOf = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

const hasLaterParts = ({ inputs }: Metafile): boolean =>
  Object.values(inputs).some(({ imports }) =>
    imports.some(({ kind, external }) => kind === "dynamic-import" && !external),
  );

/** The files that static imports reach from the first one. */
function atOnce({ metafile, outputFiles }: BuildResult<{ write: false; metafile: true }>): number {
  const paths = Object.keys(metafile.outputs);
  const loaded = new Set(paths.filter((path) => metafile.outputs[path]?.entryPoint === "<stdin>"));
  for (const path of loaded)
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? [])
      if (kind === "import-statement" && !external) loaded.add(next);
  const contents = outputFiles.filter((_, at) => loaded.has(paths[at] ?? "")).map((file) => file.contents);
  return gzipOf(Buffer.concat(contents));
}
