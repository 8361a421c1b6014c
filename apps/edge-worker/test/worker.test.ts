import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorker, startWorker } from "./start-worker.ts";

type Body = Record<string, unknown>;

describe("the Worker, in workerd", () => {
  let worker: RunningWorker;
  beforeAll(async () => {
    worker = await startWorker();
  });
  afterAll(() => worker.close());

  const json = async (path: string, init?: RequestInit): Promise<Body> =>
    (await (await worker.get(path, init)).json()) as Body;
  const stats = () => json("/api/stats");

  it("serves the page, and searches once for two visitors", async () => {
    const page = await worker.get("/");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await page.text()).toContain("Memory search");
    const first = await json("/api/search?q=musical+instrument");
    expect(first).toMatchObject({ cache: "miss", backend: "upstash" });
    expect(JSON.stringify(first["results"])).toContain("musical instrument");
    expect(await json("/api/search?q=musical+instrument")).toMatchObject({ cache: "hit", backend: "upstash" });
  });

  it("keeps a session by its cookie", async () => {
    const first = await worker.get("/api/session");
    const cookie = first.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    await worker.get("/api/search?q=dog", { headers: { cookie } });
    expect(await json("/api/session", { headers: { cookie } })).toMatchObject({
      cache: "hit",
      session: { recent: [{ query: "dog" }] },
    });
  });

  it("counts visitors by the address that Cloudflare sends", async () => {
    const ask = (address: string) =>
      worker.get("/api/invalidate", {
        method: "POST",
        headers: { "content-type": "application/json", "cf-connecting-ip": address },
        body: JSON.stringify({ pattern: "query:*" }),
      });
    for (let count = 0; count < 10; count++) expect((await ask("203.0.113.7")).status).toBe(200);
    expect((await ask("203.0.113.7")).status).toBe(429);
    expect((await ask("203.0.113.8")).status).toBe(200);
  });

  it("keeps answers out of caches, and tells no visitor where its database is", async () => {
    for (const path of ["/", "/api/stats", "/healthz", "/ws"]) {
      const response = await worker.get(path);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.text()).not.toContain(String(worker.local.port));
    }
    expect(await stats()).toMatchObject({ place: "Upstash over REST" });
  });

  it("sends pages over a WebSocket the events of other visitors", async () => {
    expect((await worker.connect({ origin: "https://evil.example" })).status).toBe(403);
    const { status, frames, send } = await worker.connect({ origin: "http://worker.example" });
    expect(status).toBe(101);
    send({ type: "subscribe", channel: "ws:memory:updates" });
    await expect.poll(() => frames.some(({ type }) => type === "subscribed")).toBe(true);
    await worker.get("/api/search?q=river");
    await expect.poll(() => frames.map(({ data }) => (data as Body | undefined)?.["type"])).toContain("memory_found");
  });

  it("answers from its own memory while Upstash is away, and returns to it", async () => {
    worker.local.fault("refuse");
    const first = await json("/api/search?q=mountain");
    expect(first).toMatchObject({ cache: "miss", backend: "local" });
    expect(await json("/api/search?q=mountain")).toMatchObject({ cache: "hit", backend: "local" });
    worker.local.fault(undefined);
    await expect.poll(async () => (await stats())["backend"], { interval: 100, timeout: 60_000 }).toBe("upstash");
    expect(await json("/api/search?q=mountain")).toMatchObject({ cache: "hit", backend: "upstash" });
  });

  it("shows its token to no visitor", async () => {
    for (const path of ["/", "/api/stats", "/healthz", "/api/search"]) {
      expect(await (await worker.get(path)).text()).not.toContain(worker.local.token);
    }
  });
});
