import { Cache, keyPattern, type StandardSchema } from "@continuum-cache/core";
import { type OpenedBackend, servers } from "@continuum-cache/fixtures";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type NearCacheOptions, nearCache } from "../src/index.ts";

/** Reads a text as its length; what is no text does not fit. */
const lengthOfText: StandardSchema<string, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "string" ? { value: value.length } : { issues: [{ message: "Expected a text" }] },
  },
};

describe.each(servers)("a near cache with other features, over $name", ({ open }) => {
  let backend: OpenedBackend;
  const caches: Cache[] = [];
  const connect = (options: NearCacheOptions = {}, patterns: never[] = []): Cache => {
    const near = nearCache({ maxStaleness: "1h", ttl: "1h", ...options });
    const cache = new Cache({ transport: backend.connect(), near, patterns });
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

  it("hands out what the schema of a key makes of it, however the value was found", async () => {
    const text = keyPattern("text:{id}", { schema: lengthOfText as never });
    const cache = connect({ maxStaleness: "50ms" }, [text] as never[]);
    await backend.redis?.command("SET", "text:7", '"four"', "EX", 1_000);
    const found: unknown[] = [];
    for (let i = 0; i < 40; i++) {
      found.push(await cache.get("text:7"), await cache.get("text:7", { timeout: "2s" }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(cache.stats().near?.hits).toBeGreaterThan(10);
    expect(new Set(found)).toEqual(new Set([4]));
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
