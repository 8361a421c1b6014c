import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface BundleSize {
  readonly minified: number;
  readonly gzip: number;
  /** Bytes in the minified bundle by source file, the largest first. */
  readonly parts: readonly { readonly file: string; readonly bytes: number }[];
}

/** Built-ins that only Node has; a bundle for the edge may not ask for them, a bundle for Node leaves them outside. */
const external = ["node:*"];

/**
 * What `code` costs as a minified, gzipped bundle of one file, as an edge platform's bundler would make it (`node`: as
 * one for a server would). It is read in `folder`: its imports are what that package may import, from the sources or as published.
 */
export async function bundleSize(
  code: string,
  folder: string,
  runtime: "edge" | "node",
  from: "sources" | "published" = "sources",
): Promise<BundleSize> {
  const conditions = runtime === "edge" ? ["workerd", "worker", "browser"] : ["node"];
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: runtime === "edge" ? "browser" : "node",
    conditions: from === "sources" ? ["@continuum-cache/source", ...conditions] : conditions,
    external,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const parts = Object.entries(inputs).map(([file, { bytesInOutput }]) => ({ file, bytes: bytesInOutput }));
  return {
    minified: output?.contents.length ?? 0,
    gzip: gzipSync(output?.contents ?? new Uint8Array(), { level: 9 }).length,
    parts: parts.sort((a, b) => b.bytes - a.bytes),
  };
}
