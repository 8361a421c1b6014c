import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { type BuildResult, build } from "esbuild";
import { Miniflare } from "miniflare";
import { writeDigest } from "../../program/scripts/write-digest.ts";

const app = resolve(import.meta.dirname, "..");
const compatibilityDate = "2026-04-26";

/** The Worker as it is deployed, in one file. */
export async function bundleWorker(): Promise<BuildResult<{ write: false; metafile: true }>> {
  if (!existsSync(join(app, "../program/dist/digest.txt"))) await writeDigest();
  return build({
    entryPoints: [join(app, "src/worker.ts")],
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    metafile: true,
    platform: "browser",
    external: ["cloudflare:*"],
    loader: { ".txt": "text" },
    conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
  });
}

/** The Worker in workerd, and its Upstash. */
export interface RunningWorker {
  readonly local: UpstashLocal;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Opens a WebSocket, and collects its frames. */
  connect(
    headers: Record<string, string>,
  ): Promise<{ status: number; frames: Record<string, unknown>[]; send(frame: object): void }>;
  close(): Promise<void>;
}

export async function startWorker(): Promise<RunningWorker> {
  const redis = await startRedisServer();
  const local = await startUpstashLocal({ port: 0, token: crypto.randomUUID(), redisUrl: redis.url });
  const { outputFiles } = await bundleWorker();
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
    compatibilityDate,
    bindings: { UPSTASH_REDIS_REST_URL: local.url, UPSTASH_REDIS_REST_TOKEN: local.token },
    durableObjects: { LIVE_SOCKETS: { className: "LiveSockets", useSQLite: true } },
    cf: false,
  });
  await miniflare.ready;
  const dispatch = (path: string, init: object = {}) => miniflare.dispatchFetch(`http://worker.example${path}`, init);
  return {
    local,
    get: async (path, init) => (await dispatch(path, init)) as unknown as Response,
    async connect(headers) {
      const { status, webSocket } = await dispatch("/ws", { headers: { upgrade: "websocket", ...headers } });
      const frames: Record<string, unknown>[] = [];
      webSocket?.addEventListener("message", ({ data }) => void frames.push(JSON.parse(String(data))));
      webSocket?.accept();
      return { status, frames, send: (frame) => webSocket?.send(JSON.stringify(frame)) };
    },
    async close() {
      await miniflare.dispose();
      await local.close();
      await redis.close();
    },
  };
}
