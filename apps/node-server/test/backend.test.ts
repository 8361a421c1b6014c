import { placeOf } from "@continuum-cache/program";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it } from "vitest";
import { openBackend } from "../src/backend.ts";

describe("the backend", () => {
  it("is a local Upstash in this process when the environment names no server, and closes with it", async () => {
    const backend = await openBackend({ CONTINUUM_CACHE_MODE: "upstash" });
    expect(await backend.cache.ping({ fallback: false })).toBe(true);
    expect(backend.server).toBe("upstash-local's embedded engine, over REST");
    const url = /http:\S+$/.exec(backend.serverAddress ?? "")?.[0] ?? "";
    expect((await fetch(`${url}/ping`)).status).toBe(401);
    await backend.close();
    await expect(fetch(`${url}/ping`)).rejects.toThrow();
  });

  it("has a switch for the page only when no other machine can connect", async () => {
    for (const [host, can] of [
      [undefined, true],
      ["127.0.0.1", true],
      ["::1", true],
      ["0.0.0.0", false],
      ["::", false],
      ["192.0.2.1", false],
    ] as const) {
      const backend = await openBackend({}, host);
      expect([host, backend.primary !== undefined]).toEqual([host, can]);
      await backend.close();
    }
  });

  it("is the server of the environment: its name has no secret, and for visitors no address", async () => {
    const local = await startUpstashLocal({ port: 0, token: "canary" });
    const backend = await openBackend({ KV_REST_API_URL: local.url, KV_REST_API_TOKEN: "canary" });
    await backend.cache.set("greeting", "hello");
    expect(local.usage.commands).toBe(1);
    expect(backend).toMatchObject({
      server: "Upstash over REST",
      serverAddress: `Upstash over REST at 127.0.0.1:${local.port}`,
    });
    await backend.close();
    await local.close();

    const redis = await openBackend({ UPSTASH_REDIS_URL: "redis://user:canary@127.0.0.1:1" });
    expect(redis).toMatchObject({ server: "Redis", serverAddress: "Redis at 127.0.0.1:1" });
    await redis.close();
  });

  it("is the memory of this process when the environment asks for that", async () => {
    const backend = await openBackend({ CONTINUUM_CACHE_MODE: "local" });
    expect(backend).toMatchObject({ server: undefined, cache: { currentBackend: "local" } });
    await backend.close();
  });

  it("is refused when the environment contradicts itself", async () => {
    await expect(openBackend({ UPSTASH_REDIS_REST_TOKEN: "canary" })).rejects.toThrow(/UPSTASH_REDIS_REST_URL is not/);
    await expect(openBackend({ CONTINUUM_CACHE_MODE: "remote" })).rejects.toThrow(/CONTINUUM_CACHE_MODE/);
  });

  it("reports where values are now: a server that is away holds none", () => {
    expect(placeOf("upstash", "Redis at db:6379")).toBe("Redis at db:6379");
    expect(placeOf("local", "Redis at db:6379")).toMatch(/memory of this process, until Redis at db:6379 answers/);
    expect(placeOf("local", undefined)).toBe("the memory of this process");
  });
});
