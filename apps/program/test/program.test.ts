import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram, type Knowledge, type Program } from "../src/index.ts";

/** Three concepts are knowledge enough for all routes. */
const knowledge: Knowledge = {
  conceptCount: 3,
  termCount: 3,
  normalize: (text) => text.trim().toLowerCase(),
  search: (text) => [
    {
      conceptId: "n00000001",
      partOfSpeech: "noun",
      lemmas: [text],
      gloss: "<b>found</b>",
      score: 1,
      relationCounts: {},
    },
  ],
  memory: (id) =>
    id === "n00000001"
      ? { conceptId: id, partOfSpeech: "noun", lemmas: ["one"], gloss: "one", relations: [] }
      : undefined,
};

describe("the program", () => {
  let cache: UpstashCache;
  let program: Program;
  const logged: string[] = [];
  beforeAll(() => {
    cache = new UpstashCache({ mode: "local", env: {} });
    program = createProgram({ cache, knowledge, server: undefined, logError: (line) => logged.push(line) });
  });
  afterAll(() => cache.close());

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await program.request(path, { headers });
    return { status: response.status, body: await response.json(), response };
  };

  it("answers a search with a miss, then with a hit, in any letter case", async () => {
    expect((await get("/api/search?q=River")).body).toMatchObject({ query: "River", cache: "miss", backend: "local" });
    expect((await get("/api/search?q=river%20")).body).toMatchObject({ cache: "hit" });
    expect((await get("/api/search?q=river&limit=5")).body).toMatchObject({ cache: "miss" });
  });

  it.each([
    ["/api/search", /Expected a query/],
    [`/api/search?q=${"x".repeat(201)}`, /at most 200 characters, got 201/],
    ["/api/search?q=a&limit=0", /from 1 to 50, got "0"/],
    ["/api/search?q=a&limit=1e1", /got "1e1"/],
    ["/api/memories/..%2F", /Expected a concept id/],
    ["/api/memories/n1", /such as n02107175/],
  ])("refuses %s and says what to do", async (path, message) => {
    const { status, body } = await get(path);
    expect(status).toBe(400);
    expect(body.error).toMatch(message);
  });

  it("answers a memory, caches it, and says 404 for one that WordNet lacks", async () => {
    expect((await get("/api/memories/n00000001")).body).toMatchObject({ cache: "miss", memory: { lemmas: ["one"] } });
    expect((await get("/api/memories/n00000001")).body).toMatchObject({ cache: "hit" });
    expect((await get("/api/memories/n00000002")).status).toBe(404);
    expect(await cache.ttl("memory:n00000001")).toBeGreaterThan(1_700);
  });

  it("keeps a session and its searches by a cookie that scripts can't read, and accepts no planted one", async () => {
    const planted = await get("/api/session", { cookie: "continuum_session=11111111-1111-4111-8111-111111111111" });
    expect(planted.response.headers.get("set-cookie")).not.toContain("11111111");
    const first = await get("/api/session");
    const header = first.response.headers.get("set-cookie") ?? "";
    expect(header).toMatch(/HttpOnly/);
    expect(header).toMatch(/SameSite=(Lax|Strict)/);
    const cookie = header.split(";", 1)[0] as string;
    await get("/api/search?q=lake", { cookie });
    const second = await get("/api/session", { cookie });
    expect(second.body).toMatchObject({ cache: "hit", session: { recent: [{ query: "lake", cache: "miss" }] } });
  });

  it("reports the statistics of the cache", async () => {
    const { body } = await get("/api/stats");
    expect(body).toMatchObject({
      backend: "local",
      pending: 0,
      place: "the memory of this process",
      knowledge: { concepts: 3 },
    });
    expect(body.stats.hits).toBeGreaterThan(0);
    expect(body.info.keys).toBeGreaterThan(0);
  });

  it("deletes only what it can load again, on a request that no other site can forge", async () => {
    const post = (body: unknown, type = "application/json") =>
      program.request("/api/invalidate", {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify(body),
      });
    expect((await post({ pattern: "query:*" })).status).toBe(200);
    expect((await get("/api/search?q=river")).body).toMatchObject({ cache: "miss" });
    expect((await post({ pattern: "session:*" })).status).toBe(400);
    expect((await post({ pattern: "*" })).status).toBe(400);
    expect((await post({ pattern: "query:*" }, "text/plain")).status).toBe(415);
    expect((await post({ pattern: "x".repeat(2_000) })).status).toBe(413);
  });

  it("is healthy, and answers 404 for unknown paths", async () => {
    expect(await get("/healthz")).toMatchObject({ status: 200, body: { ok: true } });
    expect((await get("/nothing")).status).toBe(404);
  });

  it("serves one page that loads nothing from other sites and lets no other script run", async () => {
    const response = await program.request("/");
    const html = await response.text();
    expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'nonce-/);
    expect(html).toContain("<title>");
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).not.toContain("innerHTML");
  });

  it("answers a bare 503 when the cache gives no answer, and logs why", async () => {
    const closed = new UpstashCache({ mode: "local", env: {} });
    await closed.close();
    const broken = createProgram({
      cache: closed,
      knowledge,
      server: undefined,
      processes: 1,
      logError: (line) => logged.push(line),
    });
    const response = await broken.request("/api/session");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ error: "The cache gives no answer: try again soon" });
    expect(logged.at(-1)).toMatch(/\/api\/session/);
    // A search goes on without its cache.
    expect((await broken.request("/api/search?q=river")).status).toBe(200);
  });
});
