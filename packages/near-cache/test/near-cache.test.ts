import { Cache, type Transport } from "@continuum-cache/core";
import { type OpenedBackend, servers } from "@continuum-cache/fixtures";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type NearCacheOptions, nearCache } from "../src/index.ts";
import { commandCounts } from "./command-counts.ts";

describe.each(servers)("a near cache over $name", ({ open }) => {
  let backend: OpenedBackend;
  const caches: Cache[] = [];

  beforeAll(async () => {
    backend = await open();
  });
  afterAll(async () => {
    await Promise.all(caches.map((cache) => cache.close()));
    await backend.close();
  });
  let direct: Transport;
  beforeEach(async () => {
    direct = backend.connect();
    await direct.send([["FLUSHALL"]]);
  });

  /** A cache as another process would have it. */
  const connect = (options: NearCacheOptions = {}, keyPrefix = ""): Cache => {
    const near = nearCache({ maxStaleness: "1h", ttl: "1h", ...options });
    const cache = new Cache({ transport: backend.connect(), keyPrefix, near });
    caches.push(cache);
    return cache;
  };

  /** Has a cache look at the invalidations, so that it may keep what it reads. */
  const warm = async (cache: Cache): Promise<void> => {
    await cache.get("warm");
    await expect.poll(() => cache.get("warm").then(() => cache.stats().near?.syncs)).toBeGreaterThan(0);
  };

  it("answers the second read without a command", async () => {
    const cache = connect();
    await warm(cache);
    await cache.set("key", { a: [1] });
    expect(cache.peek("key")).toBeUndefined();
    expect(await cache.get("key")).toEqual({ a: [1] });
    const counts = await commandCounts(direct);
    expect(await cache.get("key")).toEqual({ a: [1] });
    expect(cache.peek("key")).toEqual({ a: [1] });
    expect(await counts()).toEqual({});
    expect(cache.stats()).toMatchObject({ near: { hits: 1, entries: 1, evictions: 0, staleBoundMs: 3_600_000 } });
  });

  it("sees the write of another process with its next look", async () => {
    const reader = connect({ maxStaleness: "20ms" });
    const writer = connect();
    await warm(reader);
    await writer.set("key", 1);
    expect(await reader.get("key")).toBe(1);
    await writer.set("key", 2);
    await expect.poll(() => reader.get("key")).toBe(2);
    expect(reader.stats().near?.syncs).toBeGreaterThan(1);
  });

  it("sends two commands for a write of a key that matches, and one for others", async () => {
    const cache = connect({ patterns: ["memory:*"] });
    const counts = await commandCounts(direct);
    await cache.set("other", 1);
    expect(await counts()).toEqual({ set: 1 });
    const near = await commandCounts(direct);
    await cache.set("memory:1", 1);
    expect(await near()).toEqual({ set: 1, xadd: 1, multi: 1, exec: 1 });
    const three = await commandCounts(direct);
    await Promise.all([cache.set("memory:1", 1), cache.set("memory:2", 1), cache.increment("memory:3")]);
    expect(await three()).toEqual({ set: 2, incrby: 1, xadd: 1, multi: 1, exec: 1 });
    const [entry] = (await direct.send([["XREVRANGE", "continuum:invalidations", "+", "-", "COUNT", 1]])) as [
      [[string, string[]]],
    ];
    expect(entry[0][1].slice(2)).toEqual(["k", "memory:1", "k", "memory:2", "k", "memory:3"]);
  });

  const changes: Record<string, (cache: Cache) => Promise<unknown>> = {
    set: (cache) => cache.set("key", "new"),
    setMany: (cache) => cache.setMany({ key: "new" }),
    delete: (cache) => cache.delete("key"),
    expire: (cache) => cache.expire("key", 100),
    deletePattern: (cache) => cache.deletePattern("k*"),
    pipeline: (cache) => cache.pipeline().get("other").set("key", "new").execute(),
    transaction: (cache) => cache.transaction().set("key", "new").execute(),
    observed: (cache) => cache.observed(async () => {}).set("key", "new"),
    getOrSet: async (cache) => {
      await direct.send([["DEL", "key"]]);
      await cache.getOrSet("key", () => "new");
    },
  };
  it.each(Object.entries(changes))("announces %s", async (_, change) => {
    const [reader, writer] = [connect({ maxStaleness: "20ms" }), connect()];
    await warm(reader);
    await direct.send([["SET", "key", '"old"']]);
    await reader.get("key");
    await change(writer);
    await expect
      .poll(async () => {
        await reader.get("key");
        return reader.stats().near?.misses;
      })
      .toBeGreaterThan(3);
  });

  it("announces one glob for the keys that deletePattern deletes", async () => {
    const cache = connect();
    await cache.setMany({ "p:1": 1, "p:2": 2, q: 3 });
    expect(await cache.deletePattern("p:*")).toBe(2);
    const [entries] = (await direct.send([["XREVRANGE", "continuum:invalidations", "+", "-", "COUNT", 1]])) as [
      [[string, string[]]],
    ];
    expect(entries[0][1].slice(2)).toEqual(["g", "p:*"]);
  });

  it("returns what the same process has just set, also when it does not wait", async () => {
    const cache = connect();
    await warm(cache);
    await cache.set("key", 1);
    expect(await cache.get("key")).toBe(1);
    void cache.set("key", 2);
    expect(cache.peek("key")).toBeUndefined();
    expect(await cache.get("key")).toBe(2);
    expect(cache.peek("key")).toBe(2);
    expect(await cache.delete("key")).toBe(1);
    expect(await cache.get("key")).toBeUndefined();
  });

  it("counts commands as they are billed", async () => {
    const cache = connect();
    await warm(cache);
    await cache.set("key", 1);
    const before = cache.stats().commands;
    await cache.set("key", 2);
    await cache.get("key");
    await cache.get("key");
    expect(cache.stats().commands - before).toBe(3);
  });

  it("empties itself when the stream was lost, trimmed beyond its place, or is no stream", async () => {
    for (const loss of [
      [["DEL", "continuum:invalidations"]],
      [["XTRIM", "continuum:invalidations", "MAXLEN", 0]],
      [["SET", "continuum:invalidations", "x"]],
    ] as const) {
      await direct.send([["FLUSHALL"]]);
      const cache = connect({ maxStaleness: "20ms" });
      await warm(cache);
      await direct.send([["SET", "key", "1"], ...loss]);
      await direct.send([["SET", "key", "1"]]);
      await cache.get("key");
      await direct.send([["SET", "key", "2"], ...loss]);
      await expect.poll(() => cache.get("key")).toBe(2);
    }
  });

  it("hands out frozen values, copies or the very object", async () => {
    const [frozen, copy, shared] = (["frozen", "copy", "shared"] as const).map((values) => connect({ values })) as [
      Cache,
      Cache,
      Cache,
    ];
    for (const cache of [frozen, copy, shared]) {
      await warm(cache);
      await cache.set("key", { list: [1] });
      await cache.get("key");
    }
    for (const cache of [frozen, copy, shared]) await cache.get("key");
    const one = await frozen.get<{ list: number[] }>("key");
    expect(() => one?.list.push(2)).toThrow(TypeError);
    const mine = await copy.get<{ list: number[] }>("key");
    mine?.list.push(2);
    expect(await copy.get("key")).toEqual({ list: [1] });
    expect(await shared.get("key")).toBe(await shared.get("key"));
  });

  it("reads past itself where the call says so, and with `fallback: false`", async () => {
    const cache = connect();
    await warm(cache);
    await cache.set("key", 1);
    await cache.get("key");
    await direct.send([["SET", "key", "2"]]);
    expect(await cache.get("key")).toBe(1);
    expect(await cache.get("key", { timeout: "1s" })).toBe(1);
    expect(await cache.get("key", { near: false })).toBe(2);
    expect(await cache.get("key", { fallback: false })).toBe(2);
    expect(await cache.with({ near: false }).get("key")).toBe(2);
    expect(await cache.getOrSet("key", () => 3)).toBe(1);
    expect(await cache.getOrSet("key", () => 3, { near: false })).toBe(2);
  });

  it("keeps prefixes apart, and tells caches of other prefixes", async () => {
    const [a, whole] = [connect({}, "a:"), connect({ maxStaleness: "20ms" })];
    await warm(a);
    await warm(whole);
    await a.set("key", 1);
    expect(await whole.get("a:key")).toBe(1);
    await a.set("key", 2);
    await expect.poll(() => whole.get("a:key")).toBe(2);
  });

  it("holds no more bytes than it may", async () => {
    const cache = connect({ maxBytes: 1_000 });
    await warm(cache);
    for (let at = 0; at < 20; at++) {
      await cache.set(`key:${at}`, "x".repeat(100));
      await cache.get(`key:${at}`);
    }
    const near = cache.stats().near;
    expect(near?.bytes).toBeLessThanOrEqual(1_000);
    expect(near?.evictions).toBeGreaterThan(10);
  });

  it("sends a batch in parts that is too large for one transaction", async () => {
    const cache = connect();
    const values = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`large:${at}`, "x".repeat(100_000)]));
    expect(await cache.setMany(values)).toBe(true);
    expect(await cache.getMany(Object.keys(values))).toEqual(Object.values(values));
  });
});
