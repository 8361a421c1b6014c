import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

describe("the route", () => {
  let local: UpstashLocal;
  const ask = async (path: string): Promise<Response> => {
    const { GET } = await import("../app/api/search/route.ts");
    return GET(new Request(`https://site.example${path}`));
  };
  beforeAll(async () => {
    local = await startUpstashLocal({ port: 0, token: "local" });
    vi.stubEnv("UPSTASH_REDIS_REST_URL", local.url);
    vi.stubEnv("UPSTASH_REDIS_REST_TOKEN", local.token);
  });
  afterAll(async () => {
    const { cache } = await import("../lib/cache.ts");
    await cache.close();
    await local.close();
    vi.unstubAllEnvs();
  });

  it("searches once, and answers from the database that the environment names", async () => {
    const { cache } = await import("../lib/cache.ts");
    const answer = { results: ["what lattice means"], backend: "upstash" };
    expect(await (await ask("/api/search?q=lattice")).json()).toEqual(answer);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 1 });
    expect(await (await ask("/api/search?q=lattice")).json()).toEqual(answer);
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 });
  });

  it("says what is missing", async () => {
    expect((await ask("/api/search?q=+")).status).toBe(400);
  });
});
