import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { GET } from "../app/api/search/route.ts";
import { getCache } from "../lib/cache.ts";

const ask = (path: string): Promise<Response> => GET(new Request(`https://site.example${path}`));

describe("the route", () => {
  let local: UpstashLocal;
  beforeAll(async () => {
    local = await startUpstashLocal({ port: 0, token: "local" });
  });
  afterAll(async () => {
    await getCache().close();
    await local.close();
    vi.unstubAllEnvs();
  });

  it("names the missing variables at its first use, and recovers once they are set", async () => {
    vi.stubEnv("UPSTASH_REDIS_REST_URL", "");
    vi.stubEnv("UPSTASH_REDIS_REST_TOKEN", "");
    await expect(ask("/api/search?q=lattice")).rejects.toThrow(
      /set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN/,
    );
    vi.stubEnv("UPSTASH_REDIS_REST_URL", local.url);
    vi.stubEnv("UPSTASH_REDIS_REST_TOKEN", local.token);
    expect((await ask("/api/search?q=lattice")).status).toBe(200);
  });

  it("searches once, and answers from the database that the environment names", async () => {
    const answer = { results: ["what a wave means"], backend: "upstash" };
    const before = getCache().stats();
    expect(await (await ask("/api/search?q=a+wave")).json()).toEqual(answer);
    expect(getCache().stats()).toMatchObject({ hits: before.hits, misses: before.misses + 1 });
    expect(await (await ask("/api/search?q=a+wave")).json()).toEqual(answer);
    expect(getCache().stats()).toMatchObject({ hits: before.hits + 1, misses: before.misses + 1 });
  });

  it("refuses an empty query", async () => {
    expect((await ask("/api/search?q=+")).status).toBe(400);
  });
});

describe("the cache", () => {
  it("is the same for all copies of the module, under a key that no string equals", async () => {
    vi.resetModules();
    const copy = await import("../lib/cache.ts");
    expect(copy.getCache).not.toBe(getCache);
    expect(copy.getCache()).toBe(getCache());
    expect(Object.keys(globalThis)).not.toContain("cache");
  });
});
