// Bundles the function into dist/task/index.mjs: the folder is what goes into the zip.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildResult, build } from "esbuild";

const app = join(import.meta.dirname, "..");

/** @param outdir - The folder that gets `index.mjs`. */
export function bundleFunction(outdir: string): Promise<BuildResult> {
  return build({
    entryPoints: { index: join(app, "src/main.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20",
    loader: { ".txt": "text" },
    conditions: ["@continuum-cache/source"],
    // ioredis is CommonJS.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await bundleFunction(join(app, "dist/task"));
