import { resolve } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

describe("a bundle of continuum-cache for a Worker", () => {
  it("has no ioredis and no Node built-in in it", async () => {
    const { metafile, outputFiles } = await build({
      stdin: {
        contents: 'import { UpstashCache } from "continuum-cache"; export default (env) => new UpstashCache({ env });',
        resolveDir: resolve(import.meta.dirname, ".."),
      },
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      metafile: true,
      platform: "browser",
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((file) => /ioredis|transport-tcp|node-http/.test(file))).toEqual([]);
    expect(inputs.some((file) => file.endsWith("no-tcp-backend.ts"))).toBe(true);
    expect(outputFiles[0]?.text).not.toMatch(/["']node:/);
  });
});
