import { Cache, keyPattern } from "@continuum-cache/core";
import { type OpenedBackend, servers } from "@continuum-cache/fixtures";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type NearCacheOptions, nearCache } from "../src/index.ts";

describe.each(servers)("a near cache with tags and leases, over $name", ({ open }) => {
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
  const billed = async (cache: Cache, work: () => Promise<unknown>) => {
    const before = cache.stats().commands;
    await work();
    return cache.stats().commands - before;
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

  it("never serves a value whose tag another process has invalidated", async () => {
    const [cache, other] = [connect(), connect()];
    await warm(cache);
    const page = keyPattern("page:{id}", { tags: ({ id }) => [`page:${id}`] });
    const writes: Record<string, (key: string) => Promise<unknown>> = {
      set: (key) => cache.set(key, "old", { tags: ["tag"] }),
      setMany: (key) => cache.setMany({ [key]: "old" }, { tags: ["tag"] }),
      getOrSet: (key) => cache.getOrSet(key, () => "old", { tags: ["tag"] }),
      late: (key) => cache.getOrSet(key, () => "old", { tags: () => ["tag"] }),
      global: (key) => cache.getOrSet(key, () => "old", { tags: ["tag"], singleFlight: "global" }),
      many: (key) => cache.getOrSetMany([key], () => new Map([[key, "old"]]), { tags: ["tag"] }),
      stale: (key) => cache.getOrSet(key, () => "old", { tags: ["tag"], ttl: "1m", staleWhileRevalidate: "1m" }),
      pattern: () => cache.set(page({ id: "pattern" }), "old"),
    };
    for (const [name, write] of Object.entries(writes)) {
      const key = `page:${name}`;
      await write(key);
      for (let i = 0; i < 3; i++) expect([name, await cache.get(key)]).toEqual([name, "old"]);
      await (name === "pattern" ? other.invalidateTags("page:pattern") : other.invalidateTags("tag"));
      expect([name, await cache.get(key), cache.peek(key)]).toEqual([name, undefined, undefined]);
      expect([name, await cache.getMany([key])]).toEqual([name, [undefined]]);
      expect([name, (await cache.pipeline().get(key).execute())[0]]).toEqual([name, undefined]);
      expect([name, await cache.with({ timeout: "2s" }).get(key)]).toEqual([name, undefined]);
      expect([name, await cache.getOrSet(key, () => "new", { tags: ["tag"] })]).toEqual([name, "new"]);
      expect([name, await other.get(key)]).toEqual([name, "new"]);
    }
  });

  it("keeps namespaces apart, and what is cleared is never held", async () => {
    const [cache, other] = [connect(), connect()];
    await warm(cache);
    await cache.set("settings", "of the cache");
    const tenant = cache.namespace("tenant:7");
    await tenant.set("settings", "of the tenant");
    for (const view of [tenant, tenant.with({ timeout: "2s" }), tenant.observed(async () => {})]) {
      expect(await cache.get("settings")).toBe("of the cache");
      expect(await view.get("settings")).toBe("of the tenant");
      expect(view.peek("settings")).toBeUndefined();
    }
    expect(await cache.get("tenant:7::settings")).toBe("of the tenant");
    expect(cache.peek("tenant:7::settings")).toBeUndefined();
    await other.namespace("tenant:7").clear();
    expect(await tenant.get("settings")).toBeUndefined();
    expect(await cache.get("tenant:7::settings")).toBeUndefined();
    expect(await tenant.getOrSet("settings", () => "new", { singleFlight: "global" })).toBe("new");
    expect(await tenant.get("settings")).toBe("new");
    expect(cache.peek("settings")).toBe("of the cache");
  });

  it("holds no placeholder, and holds what was loaded under a lease once it is read", async () => {
    const [one, two] = [connect({ maxStaleness: "20ms" }), connect({ maxStaleness: "20ms" })];
    await Promise.all([warm(one), warm(two)]);
    let loads = 0;
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const load = async () => {
      loads++;
      await gate;
      return { loads };
    };
    const options = { singleFlight: "global", ttl: "1h" } as const;
    const asked = [one.getOrSet("key", load, options), two.getOrSet("key", load, options)];
    await expect.poll(() => loads).toBe(1);
    expect([await one.get("key"), await two.get("key"), one.peek("key"), two.peek("key")]).toEqual(
      Array(4).fill(undefined),
    );
    go();
    expect(await Promise.all(asked)).toEqual([{ loads: 1 }, { loads: 1 }]);
    for (const cache of [one, two]) {
      await expect.poll(async () => [await cache.get("key"), cache.peek("key")]).toEqual(Array(2).fill({ loads: 1 }));
      expect(await cache.getOrSet("key", load, options)).toEqual({ loads: 1 });
    }
    await two.delete("key");
    await expect.poll(() => one.getOrSet("key", () => ({ loads: 2 }), options)).toEqual({ loads: 2 });
  });

  it("sends what each feature says, and one command more for each write that may be held", async () => {
    const cache = connect();
    await warm(cache);
    const global = { singleFlight: "global", ttl: "1h" } as const;
    await cache.getOrSet("first", () => 1, global);
    await cache.set("tagged", 1, { tags: ["tag"], ttl: "1h" });
    const calls: Record<string, [commands: number, call: () => Promise<unknown>]> = {
      "a load under a lease": [5, () => cache.getOrSet("key", () => 1, global)],
      "a read": [1, () => cache.getOrSet("key", () => 1, global)],
      "a hit": [0, () => cache.getOrSet("key", () => 1, global)],
      "a value with tags": [3, () => cache.set("tagged", 1, { tags: ["tag"], ttl: "1h" })],
      "a read of it": [1, () => cache.get("tagged")],
      "an invalidation": [1, () => cache.invalidateTags("tag")],
      "a namespace that is cleared": [1, () => cache.namespace("tenant").clear()],
      "a key that is locked and given back": [4, () => cache.withLock("lock", async () => 1)],
    };
    for (const [name, [commands, call]] of Object.entries(calls)) {
      expect([name, await billed(cache, call)]).toEqual([name, commands]);
    }
  });
});
