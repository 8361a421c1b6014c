import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { expect, it } from "vitest";

const program = `
  import { UpstashCache } from "continuum-cache";
  const cache = new UpstashCache({ mode: "local", env: {} });
  const stored = cache.set("greeting", "hello");
  export default {
    async fetch() {
      const isStored = await Promise.race([stored, new Promise((resolve) => setTimeout(resolve, 2_000, "waits"))]);
      return Response.json([isStored, await cache.get("greeting")]);
    },
  };`;

it.each([
  ["one file", false],
  ["several files", true],
])(
  "a Worker of %s may fill a local cache before its first request, where no timer may be set",
  async (_, splitting) => {
    const { outputFiles } = await build({
      stdin: { contents: program, resolveDir: resolve(import.meta.dirname, "..") },
      bundle: true,
      splitting,
      outdir: "/out",
      format: "esm",
      write: false,
      platform: "browser",
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
      logLevel: "silent",
    });
    // The first is where a Worker begins.
    const files = [...outputFiles].sort((a, b) => Number(/stdin/.test(b.path)) - Number(/stdin/.test(a.path)));
    const miniflare = new Miniflare({
      modulesRoot: "/out",
      modules: files.map(({ path, text }) => ({ type: "ESModule", path, contents: text })),
      compatibilityDate: "2026-04-26",
      cf: false,
      handleRuntimeStdio: (out: Readable, error: Readable) => {
        out.resume();
        error.resume();
      },
    });
    try {
      const response = await miniflare.dispatchFetch("http://worker/");
      expect(await response.json()).toEqual([true, "hello"]);
    } finally {
      await miniflare.dispose();
    }
  },
);
