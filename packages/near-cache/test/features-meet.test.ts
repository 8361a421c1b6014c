import { Cache } from "@continuum-cache/core";
import { type OpenedBackend, servers } from "@continuum-cache/fixtures";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type NearCacheOptions, nearCache } from "../src/index.ts";

describe.each(servers)("a near cache with other features, over $name", ({ open }) => {
  let backend: OpenedBackend;
  const caches: Cache[] = [];
  const connect = (options: NearCacheOptions = {}): Cache => {
    const near = nearCache({ maxStaleness: "1h", ttl: "1h", ...options });
    const cache = new Cache({ transport: backend.connect(), near });
    caches.push(cache);
    return cache;
  };
  const warm = async (cache: Cache): Promise<void> => {
    await expect.poll(() => cache.get("warm").then(() => cache.stats().near?.syncs)).toBeGreaterThan(0);
  };

  beforeAll(async () => {
    backend = await open();
  });
  afterAll(async () => {
    await Promise.all(caches.map((cache) => cache.close()));
    await backend.close();
  });
  beforeEach(async () => {
    await backend.redis?.command("FLUSHALL");
  });

  it("shows a process what it has stored under a lease itself", async () => {
    const [cache, other] = [connect(), connect()];
    await warm(cache);
    await cache.set("key", "old");
    expect([await cache.get("key"), cache.peek("key")]).toEqual(["old", "old"]);
    await other.delete("key");
    expect(await cache.getOrSet("key", () => "new", { singleFlight: "global", near: false })).toBe("new");
    expect(await cache.get("key")).toBe("new");
  });
});
