import { resolve } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const worker = `
  import { memoryTransport } from "@continuum-cache/fallback-memory";
  import { RateLimiter } from "@continuum-cache/ratelimit";
  import { withRateLimit } from "@continuum-cache/ratelimit/fetch";

  let limiter;
  /** Made when the first request comes: before, a Worker knows neither its settings nor the time. */
  const limiterOf = (_request, env) =>
    (limiter ??= new RateLimiter({ transport: memoryTransport() }, { window: "1h", limit: env.LIMIT, scope: "api" }));

  const answers = {
    "/hello": () => new Response("hello"),
    "/redirect": () => Response.redirect("https://example.com/b", 303),
    "/socket": () => {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.send("connected");
      return new Response(null, { status: 101, webSocket: client });
    },
  };
  const handler = (request) => answers[new URL(request.url).pathname]();

  export default { fetch: withRateLimit(handler, limiterOf, { ipHeader: "x-client" }) };`;

describe("withRateLimit in a Worker", () => {
  let miniflare: Miniflare;
  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: worker, resolveDir: resolve(import.meta.dirname, "..") },
      bundle: true,
      format: "esm",
      write: false,
      platform: "browser",
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
    });
    miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
      compatibilityDate: "2026-04-26",
      bindings: { LIMIT: 2 },
      cf: false,
    });
    await miniflare.ready;
  });
  afterAll(() => miniflare.dispose());

  const ask = (path: string, client: string, headers: Record<string, string> = {}) =>
    miniflare.dispatchFetch(`http://worker${path}`, {
      headers: { "X-Client": client, ...headers },
      redirect: "manual",
    });

  it("limits by the platform's own field, and shows the limits on redirects too", async () => {
    const first = await ask("/hello", "2001:db8::1");
    expect([first.status, await first.text()]).toEqual([200, "hello"]);
    expect(first.headers.get("RateLimit-Policy")).toBe('"api";q=2;w=3600');
    const redirect = await ask("/redirect", "2001:db8::2", { "X-Forwarded-For": "6.6.6.6" });
    expect([redirect.status, redirect.headers.get("Location")]).toEqual([303, "https://example.com/b"]);
    expect(redirect.headers.get("RateLimit")).toMatch(/^"api";r=0;t=3\d{3}$/);
    const refused = await ask("/hello", "2001:db8::3");
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ "violated-policies": ["api"] });
  });

  it("lets WebSockets through, and refuses them too", async () => {
    const { webSocket, status } = await ask("/socket", "203.0.113.7", { Upgrade: "websocket" });
    expect(status).toBe(101);
    const message = new Promise((told) => webSocket?.addEventListener("message", ({ data }) => told(data)));
    webSocket?.accept();
    expect(await message).toBe("connected");
    webSocket?.close();
    await (await ask("/hello", "203.0.113.7")).text();
    const refused = await ask("/socket", "203.0.113.7", { Upgrade: "websocket" });
    expect(refused.status).toBe(429);
    await refused.text();
  });
});
