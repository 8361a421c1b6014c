import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { build, type OutputFile } from "esbuild";
import { Miniflare } from "miniflare";
import { expect, it } from "vitest";

async function bundled(program: string, splitting: boolean): Promise<OutputFile[]> {
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
  return [...outputFiles].sort((a, b) => Number(/stdin/.test(b.path)) - Number(/stdin/.test(a.path)));
}

/** A Worker that has served no request yet. */
function freshWorker(files: readonly OutputFile[], bindings: Record<string, string> = {}): Miniflare {
  return new Miniflare({
    modulesRoot: "/out",
    modules: files.map(({ path, text }) => ({ type: "ESModule", path, contents: text })),
    compatibilityDate: "2026-04-26",
    bindings,
    cf: false,
    handleRuntimeStdio: (out: Readable, error: Readable) => {
      out.resume();
      error.resume();
    },
  });
}

it.each([
  ["one file", false],
  ["several files", true],
])(
  "a Worker of %s may fill a local cache before its first request, where no timer may be set",
  async (_, splitting) => {
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
    const worker = freshWorker(await bundled(program, splitting));
    try {
      const response = await worker.dispatchFetch("http://worker/");
      expect(await response.json()).toEqual([true, "hello"]);
    } finally {
      await worker.dispose();
    }
  },
);

it("a Worker of several files answers its first requests, though the one that began to load has left", async () => {
  const program = `
    import { UpstashCache } from "continuum-cache";
    let cache;
    export default {
      async fetch(request, { restUrl }) {
        cache ??= new UpstashCache({ restUrl, restToken: "t", allowInsecure: true, retries: 0, env: {} });
        const reading = cache.get("greeting").catch(({ message }) => message);
        if (!request.url.endsWith("/leaves")) return Response.json(await reading);
        await scheduler.wait(0);
        return Response.json("left");
      },
    };`;
  const files = await bundled(program, true);
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end('{"result":["aGVsbG8="]}'), 100);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (let round = 0; round < 8; round++) {
      const worker = freshWorker(files, { restUrl });
      try {
        await worker.ready;
        const paths = ["leaves", "stays", "stays", "stays"];
        const responses = await Promise.all(paths.map((path) => worker.dispatchFetch(`http://worker/${path}`)));
        const answers = await Promise.all(responses.map((response) => response.json()));
        expect(answers).toEqual(["left", "hello", "hello", "hello"]);
      } finally {
        await worker.dispose();
      }
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
