import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import type { Answered, Asked } from "./worker.ts";

/** How an isolate is set up. */
export interface Setup {
  readonly name: string;
  readonly fallback: boolean;
  /** Whether work may go on behind a response, by `waitUntil`. */
  readonly goesOn: boolean;
  readonly flags: string[];
}

/** One Worker isolate, in front of a Redis behind the REST API. */
export interface Isolate {
  ask(asked: Asked): Promise<Answered | undefined>;
  /** What Redis itself says. */
  redis(...command: string[]): Promise<unknown>;
  close(): Promise<void>;
}

export async function openIsolate({ fallback, goesOn, flags }: Setup, timeout: `${number}s`): Promise<Isolate> {
  const redis = await startRedisServer();
  const token = crypto.randomUUID();
  const local = await startUpstashLocal({ port: 0, token, redisUrl: redis.url });
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    absWorkingDir: resolve(import.meta.dirname, "../.."),
    bundle: true,
    format: "esm",
    write: false,
    platform: "browser",
    external: ["cloudflare:*"],
    conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
    compatibilityDate: "2026-04-26",
    compatibilityFlags: flags,
    bindings: {
      UPSTASH_REDIS_REST_URL: local.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      FALLBACK: fallback,
      GOES_ON: goesOn,
      TIMEOUT: timeout,
    },
    cf: false,
    // The runtime says that it drops what the requests that end have left: that is intended here.
    handleRuntimeStdio: (out: Readable, error: Readable) => {
      out.resume();
      error.resume();
    },
  });
  await miniflare.ready;
  return {
    async ask(asked) {
      const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(asked) });
      const text = await response.text();
      if (asked.leaveMs !== undefined) return undefined;
      return response.ok
        ? (JSON.parse(text) as Answered)
        : { isLocal: false, error: `HTTP ${response.status} ${text.slice(0, 200)}`, ms: 0 };
    },
    async redis(...command) {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(local.url, { method: "POST", headers, body: JSON.stringify(command) });
      return ((await response.json()) as { readonly result: unknown }).result;
    },
    async close() {
      await miniflare.dispose();
      await local.close();
      await redis.close();
    },
  };
}
