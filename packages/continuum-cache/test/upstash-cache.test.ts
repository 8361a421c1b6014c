import { keys, UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { backends, optionsFor, type RunningBackend } from "./backends.ts";

describe.each(backends)("the cache on $name", ({ name, start }) => {
  let backend: RunningBackend;
  let cache: UpstashCache;
  beforeAll(async () => {
    backend = await start();
    cache = new UpstashCache(optionsFor(backend));
  });
  afterAll(async () => {
    await cache.close();
    await backend.close();
  });
  beforeEach(async () => {
    await cache.deletePattern("*");
  });

  it("does what the quick start says", async () => {
    expect(await cache.ping()).toBe(true);
    expect(await cache.set("test:key", { hello: "world" }, { ttl: 60 })).toBe(true);
    expect(await cache.get("test:key")).toEqual({ hello: "world" });
    expect(await cache.ttl("test:key")).toBe(60);
    expect(cache.currentBackend).toBe(name === "local memory" ? "local" : "upstash");
  });

  it("tells a miss from a null, and gives back what was stored", async () => {
    expect(await cache.get("none")).toBeUndefined();
    for (const value of [null, 0, "", false, "123", "true", 1.5, [], {}, [null], { a: { b: [1, "2"] } }, "é😀\r\n"]) {
      await cache.set("value", value);
      expect(await cache.get("value")).toEqual(value);
    }
  });

  it("sets under conditions, and says whether it did", async () => {
    expect(await cache.set("a", 1, { xx: true })).toBe(false);
    expect(await cache.set("a", 1, { nx: true })).toBe(true);
    expect(await cache.set("a", 2, { nx: true })).toBe(false);
    expect(await cache.set("a", 3, { xx: true, ttl: "1h" })).toBe(true);
    expect(await cache.set("a", 4, { keepTtl: true })).toBe(true);
    expect(await cache.get("a")).toBe(4);
    expect(await cache.ttl("a")).toBeGreaterThan(3_500);
    await expect(cache.set("a", 1, { nx: true, xx: true })).rejects.toThrow(/got both/);
    await expect(cache.set("a", 1, { keepTtl: true, ttl: 1 })).rejects.toThrow(/got both/);
  });

  it("gives values the time to live of the call, else of their key family, else five minutes, or none", async () => {
    await Promise.all([
      cache.set("plain", 1),
      cache.set("own", 1, { ttl: "1d" }),
      cache.set("forever", 1, { ttl: Number.POSITIVE_INFINITY }),
      cache.set(keys.session({ userId: "u" }), 1),
      cache.set(keys.memory({ conceptId: "c" }), 1),
      cache.set("short", 1, { ttl: "1500ms" }),
    ]);
    const left = await Promise.all(
      ["plain", "own", "forever", "session:u", "memory:c", "short"].map((key) => cache.ttl(key)),
    );
    expect(left.map((seconds) => Math.round(seconds / 10) * 10 || 0)).toEqual([300, 86_400, 0, 3_600, 1_800, 0]);
    expect(left[2]).toBe(-1);
    expect(left[5]).toBeGreaterThan(0);
    expect(await cache.ttl("none")).toBe(-2);
  });

  it("reads and writes many at once", async () => {
    expect(await cache.setMany({ a: 1, b: 2 }, { ttl: 60 })).toBe(true);
    expect(await cache.setMany(new Map([["c", 3]]))).toBe(true);
    expect(await cache.getMany(["a", "none", "b", "a"])).toEqual([1, undefined, 2, 1]);
    expect(await cache.getMany([])).toEqual([]);
    expect(await cache.setMany([])).toBe(true);
  });

  it("deletes, and says how many there were", async () => {
    await cache.setMany({ a: 1, b: 2 });
    expect(await cache.delete("a", "b", "none")).toBe(2);
    expect(await cache.delete("a", { fallback: false })).toBe(0);
    expect(await cache.delete()).toBe(0);
    expect(await cache.exists("a")).toBe(false);
  });

  it("deletes by pattern: all that match and nothing else, telling its progress", async () => {
    const many = Object.fromEntries(Array.from({ length: 2_500 }, (_, i) => [`query:${i}`, i]));
    await cache.setMany({ ...many, "queries:1": 1, "other:1": 1 });
    const progress: number[] = [];
    expect(await cache.deletePattern("query:*", { onProgress: ({ deleted }) => progress.push(deleted) })).toBe(2_500);
    expect(progress.at(-1)).toBe(2_500);
    expect(await cache.getMany(["query:1", "queries:1", "other:1"])).toEqual([undefined, 1, 1]);
    expect(await cache.deletePattern("query:*")).toBe(0);
    await expect(cache.deletePattern("*", { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "aborted" });
    await expect(cache.deletePattern("")).rejects.toThrow(/Expected a pattern/);
  });

  it("counts, expires and exists", async () => {
    expect(await cache.increment("n")).toBe(1);
    expect(await cache.increment("n", 41)).toBe(42);
    expect(await cache.increment("n", -2)).toBe(40);
    expect(await cache.get("n")).toBe(40);
    expect(await cache.expire("n", "1h")).toBe(true);
    expect(await cache.expire("none", "1h")).toBe(false);
    expect(await cache.exists("n")).toBe(true);
    await expect(cache.increment("n", 0.5)).rejects.toThrow(/whole number, got 0.5/);
    await cache.set("text", "x");
    await expect(cache.increment("text")).rejects.toMatchObject({ name: "CommandError", code: "ERR" });
  });

  it("keeps lists of values", async () => {
    expect(await cache.rpush("l", { a: 1 }, "2")).toBe(2);
    expect(await cache.lpush("l", null)).toBe(3);
    expect(await cache.lrange("l", 0, -1)).toEqual([null, { a: 1 }, "2"]);
    expect(await cache.llen("l")).toBe(3);
    expect(await cache.lpop("l")).toBeNull();
    expect(await cache.rpop("l")).toBe("2");
    expect(await cache.lpop("none")).toBeUndefined();
    await expect(cache.lpush("l")).rejects.toThrow(/at least one value/);
    expect(await cache.get("l")).toBeUndefined();
    await cache.set("s", 1);
    await expect(cache.lpush("s", 1)).rejects.toMatchObject({ code: "WRONGTYPE" });
  });

  it("runs pipelines and transactions, each slot typed", async () => {
    const [set, got, expired, missing] = await cache
      .pipeline()
      .set("a", 1, { ttl: 300 })
      .get<number>("a")
      .expire("a", 60)
      .get("none")
      .execute();
    expect([set, got, expired, missing]).toEqual([true, 1, true, undefined]);
    expect(await cache.transaction().increment("n").expire("n", 60).execute()).toEqual([1, true]);
    expect(await cache.pipeline().execute()).toEqual([]);
    const big = "x".repeat(200_000);
    expect(await cache.pipeline().set("big", big).set("small", 1).execute()).toEqual([false, true]);
    const settled = await cache.pipeline().set("t", "x").increment("t").get("t").executeSettled();
    expect(settled.map((slot) => slot.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await expect(cache.pipeline().increment("t").set("after", 1).execute()).rejects.toMatchObject({ code: "ERR" });
    expect(await cache.get("after")).toBe(1);
  });

  it("loads once however many wait, and not again while it is cached", async () => {
    const loader = vi.fn(async () => ({ loaded: true }));
    const values = await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet("k", loader, { ttl: "5m" })));
    expect(values).toEqual(Array.from({ length: 20 }, () => ({ loaded: true })));
    expect(await cache.getOrSet("k", loader)).toEqual({ loaded: true });
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await cache.ttl("k")).toBeGreaterThan(290);
  });

  it("fails all who wait once when the loader fails, and stores nothing", async () => {
    const loader = vi.fn(async () => {
      throw new Error("no database");
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => cache.getOrSet("k", loader)));
    expect(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason.message === "no database")).toBe(
      true,
    );
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await cache.exists("k")).toBe(false);
    expect(await cache.getOrSet("k", () => 1)).toBe(1);
  });

  it.each<[string, (cache: UpstashCache) => Promise<unknown>]>([
    ["deleted", (c) => c.delete("k")],
    ["deleted by pattern", (c) => c.deletePattern("k*")],
    ["deleted in a pipeline", (c) => c.pipeline().delete("k").execute()],
  ])("does not store what a loader brings when its key was %s meanwhile", async (_, invalidate) => {
    let bring: (value: string) => void = () => {};
    let begun: () => void = () => {};
    const loading = new Promise<void>((resolve) => (begun = resolve));
    const value = cache.getOrSet("k", () => {
      begun();
      return new Promise<string>((resolve) => (bring = resolve));
    });
    await loading;
    await invalidate(cache);
    bring("old");
    expect(await value).toBe("old");
    expect(await cache.exists("k")).toBe(false);
    expect(await cache.getOrSet("k", () => "new")).toBe("new");
  });

  it("does not store what a loader brings over what was set meanwhile", async () => {
    const value = cache.getOrSet("k", async () => {
      await cache.set("k", "set");
      return "loaded";
    });
    expect(await value).toBe("loaded");
    expect(await cache.get("k")).toBe("set");
  });

  it("keeps the order of a key's reads and writes that are not awaited, over many ticks", async () => {
    const results: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      results.push(cache.set("k", i), cache.get("k"));
      if (i % 3 === 0) await Promise.resolve();
      if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(results)).toEqual(Array.from({ length: 20 }, (_, i) => [true, i]).flat());
  });

  it("skips what is too large, says so, and keeps what was there", async () => {
    const skipped = vi.fn();
    const stop = cache.on("skipped", skipped);
    await cache.set("k", "small");
    expect(await cache.set("k", "x".repeat(102_400))).toBe(false);
    stop();
    expect(skipped.mock.calls).toEqual([[{ key: "k", bytes: 102_402, maxValueBytes: 102_400 }]]);
    expect(await cache.get("k")).toBe("small");
    expect(await cache.set("k", "x".repeat(102_398))).toBe(true);
  });

  it("takes a value that can't be read for a miss, and says so without quoting it", async () => {
    const errors = vi.fn();
    const stop = cache.on("error", errors);
    await cache.rpush("k", 1);
    await cache.delete("k");
    const raw = new UpstashCache(optionsFor(backend, { codec: { name: "raw", encode: String, decode: String } }));
    if (name !== "local memory") {
      await raw.set("k", "canary {");
      expect(await cache.get("k")).toBeUndefined();
      expect(errors.mock.calls[0]?.[0]).toMatchObject({ operation: "get", key: "k", error: { name: "CodecError" } });
      expect(String(errors.mock.calls[0]?.[0].error)).not.toContain("canary");
    }
    stop();
    await raw.close();
  });

  it("keeps hostile ids apart: none reads, deletes or collides with another's key", async () => {
    const ids = ["*", "a:b", "[x]", "😀", "x".repeat(10_240), "?", "\\", "{x}", "victim", "a", "%2A"];
    await cache.setMany(ids.map((id): [string, unknown] => [keys.session({ userId: id }), id]));
    for (const id of ids) {
      expect(await cache.get(keys.session({ userId: id }))).toBe(id);
      expect(await cache.deletePattern(keys.session.match({ userId: id }))).toBe(1);
      const others = ids.filter((other) => other !== id);
      expect(await cache.getMany(others.map((other) => keys.session({ userId: other })))).toEqual(others);
      await cache.set(keys.session({ userId: id }), id);
    }
  });

  it("tells what the server and what this process did", async () => {
    await cache.set("k", 1);
    const info = await cache.info();
    expect(info).toMatchObject({ backend: cache.currentBackend, keys: 1 });
    expect(info.usedMemory).toBeGreaterThan(0);
    expect(info.usedMemoryHuman).toMatch(/^[\d.]+[BKMG]/);
    expect(info.totalCommandsProcessed).toBeGreaterThan(0);
    expect(info.connectedClients).toBeGreaterThanOrEqual(1);
    const fresh = new UpstashCache(optionsFor(backend));
    await fresh.set("k", 1);
    await fresh.getMany(["k", "none", "k"]);
    expect(fresh.stats()).toMatchObject({ hits: 2, misses: 1, commands: 2, trips: 2, errors: 0 });
    expect(fresh.stats().hitRate).toBeCloseTo(2 / 3);
    expect(fresh.stats().latency.p99).toBeGreaterThanOrEqual(fresh.stats().latency.p50);
    await fresh.close();
  });

  it("refuses calls after it was closed, and may be closed twice", async () => {
    const closed = new UpstashCache(optionsFor(backend, { fallback: false }));
    await closed.set("k", 1);
    await closed.close();
    await closed.close();
    await expect(closed.get("k")).rejects.toMatchObject({ kind: "closed" });
  });

  it("lets what is under way finish before it closes", async () => {
    const closing = new UpstashCache(optionsFor(backend, { fallback: false }));
    const set = closing.set("k", "kept");
    await closing.close();
    expect(await set).toBe(true);
  });
});

describe("the cache without any environment", () => {
  it("warns once, lives in local memory and does everything", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const cache = new UpstashCache({ env: {} });
    await cache.set("key", "value");
    expect(await cache.get("key")).toBe("value");
    expect(cache.currentBackend).toBe("local");
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0])).toMatch(/UPSTASH_REDIS_REST_URL/);
    warn.mockRestore();
    await cache.close();
  });

  it("puts its prefix before keys and patterns, and takes it for text", async () => {
    const cache = new UpstashCache({ env: {}, warn: () => {}, keyPrefix: "a*:" });
    await cache.set("k", 1);
    expect(await cache.get("k")).toBe(1);
    expect(await cache.deletePattern("*")).toBe(1);
    await cache.close();
  });

  it("disposes of itself", async () => {
    let used: UpstashCache | undefined;
    {
      await using cache = new UpstashCache({ env: {}, warn: () => {} });
      used = cache;
    }
    await expect(used.get("k")).rejects.toMatchObject({ kind: "closed" });
  });
});
