import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** A Worker that keeps one cache for all its requests and does what it is told. */
const workerWith = (options: string): string => `
  import { waitUntil } from "cloudflare:workers";
  import { UpstashCache } from "continuum-cache";
  let cache;
  export default {
    async fetch(request, env) {
      cache ??= new UpstashCache({ env, timeout: "3s", retries: 0, healthCheckInterval: "50ms", ${options} });
      const { method, args } = await request.json();
      const result = await cache[method](...args);
      return Response.json({ result, backend: cache.currentBackend, pending: cache.pending });
    },
  };`;

interface Answer {
  readonly result?: unknown;
  readonly backend: string;
  readonly pending: number;
}

describe.each([
  { name: "where a promise ends with the request that began it", options: "", flags: [] },
  { name: "whose timers look like Node's but end with the request", options: "", flags: ["nodejs_compat"] },
  { name: "that goes on after its responses", options: "waitUntil", flags: [] },
])("an outage in a Worker $name", ({ options, flags }) => {
  let server: UpstashLocal;
  let miniflare: Miniflare;
  beforeAll(async () => {
    server = await startUpstashLocal({ port: 0, token: "local" });
    const { outputFiles } = await build({
      stdin: { contents: workerWith(options), resolveDir: resolve(import.meta.dirname, "..") },
      bundle: true,
      format: "esm",
      write: false,
      platform: "browser",
      external: ["cloudflare:*"],
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
    });
    miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
      compatibilityDate: "2026-04-26",
      compatibilityFlags: flags,
      bindings: { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: "local" },
      cf: false,
    });
    await miniflare.ready;
  });
  afterAll(async () => {
    await miniflare.dispose();
    await server.close();
  });

  const call = async (method: string, ...args: unknown[]): Promise<Answer> => {
    const response = await miniflare.dispatchFetch("http://worker/", {
      method: "POST",
      body: JSON.stringify({ method, args }),
    });
    return (await response.json()) as Answer;
  };
  const untilBack = async (): Promise<void> => {
    for (const start = Date.now(); (await call("exists", "x")).backend === "local"; await sleep(30)) {
      if (Date.now() - start > 60_000) throw new Error("Gave up waiting");
    }
  };

  it.each(["refuse", "hang", "error-500", "quota"] as const)(
    "%s: it answers, keeps what is written, and tells the primary in later requests",
    async (fault) => {
      await call("setMany", { a: "old", "query:1": "old" });
      server.fault(fault);
      expect(await call("delete", "a")).toEqual({ result: 0, backend: "local", pending: 1 });
      expect(await call("increment", "n", 2)).toMatchObject({ result: 2, backend: "local", pending: 2 });
      expect(await call("deletePattern", "query:*")).toMatchObject({ backend: "local", pending: 3 });
      expect(await call("set", "b", fault)).toMatchObject({ result: true, pending: 4 });
      expect(await call("getMany", ["a", "b", "query:1"])).not.toHaveProperty("result.0", "old");
      server.fault(undefined);
      await untilBack();
      expect(await call("getMany", ["a", "b", "query:1", "n"])).toEqual({
        result: [null, fault, null, 2],
        backend: "upstash",
        pending: 0,
      });
      await call("delete", "n", "b");
    },
  );
});
