import { resolve } from "node:path";
import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterEach, expect, it } from "vitest";
import { PubSub } from "../../src/index.ts";

const opened = closing(afterEach);

/** One Durable Object holds all sockets: there any request may write to a socket. */
const worker = `
  import { PubSub } from "@continuum-cache/pubsub";
  import { createWebSocketBridge } from "@continuum-cache/pubsub/websocket";
  import { restTransport } from "@continuum-cache/transport-rest";

  export class Sockets {
    constructor(_state, env) {
      this.transport = restTransport({ url: env.UPSTASH_REDIS_REST_URL, token: "local" });
      const pubsub = new PubSub({ transport: this.transport });
      this.bridge = createWebSocketBridge(pubsub, {
        authorize: (channel, user) => channel === "orders" || channel === "user:" + user,
        replay: (channel) => channel === "orders",
      });
    }
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/stats") return Response.json(this.bridge.stats());
      if (pathname === "/close") return this.bridge.close().then(() => new Response());
      const [client, server] = Object.values(new WebSocketPair());
      this.bridge.accept(server, pathname.slice(1));
      return new Response(null, { status: 101, webSocket: client });
    }
  }

  export default { fetch: (request, env) => env.SOCKETS.get(env.SOCKETS.idFromName("all")).fetch(request) };`;

async function startWorker(restUrl: string) {
  const { outputFiles } = await build({
    stdin: { contents: worker, resolveDir: resolve(import.meta.dirname, "../..") },
    bundle: true,
    format: "esm",
    write: false,
    platform: "browser",
    conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
    compatibilityDate: "2026-04-26",
    durableObjects: { SOCKETS: "Sockets" },
    bindings: { UPSTASH_REDIS_REST_URL: restUrl },
    cf: false,
  });
  await miniflare.ready;
  const connect = async (user: string) => {
    const { webSocket } = await miniflare.dispatchFetch(`http://worker/${user}`, { headers: { Upgrade: "websocket" } });
    if (!webSocket) throw new Error("Expected a WebSocket, got none");
    const frames: Record<string, unknown>[] = [];
    let wake = (): void => {};
    let closedBy: number | undefined;
    webSocket.addEventListener("message", ({ data }) => {
      frames.push(JSON.parse(String(data)));
      wake();
    });
    webSocket.addEventListener("close", ({ code }) => {
      closedBy = code;
      wake();
    });
    webSocket.accept();
    const until = async (isSo: () => boolean): Promise<void> => {
      for (const startMs = Date.now(); !isSo(); ) {
        if (Date.now() - startMs > 60_000) throw new Error(`Gave up waiting, got ${JSON.stringify(frames)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 200);
        });
      }
    };
    const subscribe = async (channel: string, after?: unknown) => {
      webSocket.send(JSON.stringify({ type: "subscribe", channel, after }));
      await until(() => frames.some((frame) => frame["channel"] === channel));
      return frames.at(-1);
    };
    const data = () => frames.filter(({ type }) => type === "message").map((frame) => frame["data"]);
    return { frames, until, subscribe, data, close: () => webSocket.close(1000), closedBy: () => closedBy };
  };
  return {
    connect,
    get: (path: string) => miniflare.dispatchFetch(`http://worker${path}`),
    close: () => miniflare.dispose(),
  };
}

it("serves WebSockets from a Worker: messages over REST, authorization, resuming and closing", async () => {
  const redis = opened(await startRedisServer());
  const local = opened(await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url }));
  const transport = opened(restTransport({ url: local.url, token: "local" }));
  const publisher = opened(new PubSub({ transport }));
  const { connect, get } = opened(await startWorker(local.url));

  const [ada, bob] = [await connect("ada"), await connect("bob")];
  expect(await bob.subscribe("user:ada")).toMatchObject({ type: "error", code: "forbidden" });
  expect(await ada.subscribe("user:ada")).toEqual({ type: "subscribed", channel: "user:ada" });
  await ada.subscribe("orders");
  await bob.subscribe("orders");
  for (let n = 0; n < 3; n++) await publisher.publish("orders", { n }, { replay: true });
  await publisher.publish("user:ada", "€");
  await ada.until(() => ada.data().length === 4);
  await bob.until(() => bob.data().length === 3);
  expect(bob.data()).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  expect(await (await get("/stats")).json()).toMatchObject({ clients: 2, channels: 2, subscriptions: 3 });

  const position = bob.frames.at(-1)?.["position"];
  bob.close();
  for (let n = 3; n < 6; n++) await publisher.publish("orders", { n }, { replay: true });
  const again = await connect("bob");
  await again.subscribe("orders", position);
  await again.until(() => again.data().length === 3);
  expect(again.data()).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]);

  await (await get("/close")).text();
  await again.until(() => again.closedBy() === 1001);
  expect(await (await get("/stats")).json()).toMatchObject({ clients: 0, channels: 0, subscriptions: 0 });
});
