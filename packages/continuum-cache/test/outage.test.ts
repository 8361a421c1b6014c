import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { fileJournal } from "@continuum-cache/fallback-memory/file-journal";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { type CacheEvents, UpstashCache, type UpstashCacheOptions } from "continuum-cache";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

let redis: RedisServer;
let rest: UpstashLocal;
beforeAll(async () => {
  redis = await startRedisServer({ appendonly: true });
  rest = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
});
afterAll(async () => {
  await rest.close();
  await redis.close();
});

/** How a cache reaches the one server through a proxy of its own. */
const ways = {
  "the Redis protocol": {
    port: () => redis.port,
    env: (port: number) => ({ UPSTASH_REDIS_URL: `redis://127.0.0.1:${port}` }),
  },
  REST: {
    port: () => Number(new URL(rest.url).port),
    env: (port: number) => ({
      UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${port}`,
      UPSTASH_REDIS_REST_TOKEN: "local",
    }),
  },
} as const;

describe.each(Object.entries(ways))("an outage of %s", (_, way) => {
  let proxy: FaultProxy;
  let cache: UpstashCache;
  const opened: UpstashCache[] = [];

  const open = (options: UpstashCacheOptions = {}): UpstashCache => {
    const one = new UpstashCache({
      env: way.env(proxy.port),
      timeout: "60s",
      retries: 0,
      healthCheckInterval: "50ms",
      defaultTtl: Number.POSITIVE_INFINITY,
      ...options,
    });
    opened.push(one);
    return one;
  };
  const cutOff = async (one = cache): Promise<void> => {
    proxy.set({ kind: "refuse" });
    proxy.cut();
    await one.exists("nothing");
    expect(one.currentBackend).toBe("local");
  };
  const until = async (condition: () => boolean): Promise<void> => {
    for (const start = Date.now(); !condition(); await sleep(5)) {
      if (Date.now() - start > 60_000) throw new Error("Gave up waiting");
    }
  };
  const restore = async (one = cache): Promise<void> => {
    proxy.set({ kind: "pass" });
    await until(() => one.currentBackend === "upstash");
    expect(one.pending).toBe(0);
  };
  const stored = (key: string) => redis.command("GET", key);

  beforeEach(async () => {
    await redis.command("FLUSHALL");
    proxy = await startFaultProxy({ port: way.port() });
    cache = open({ closeTimeout: "100ms" });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    await proxy.close();
  });

  it("brings back nothing that was deleted or invalidated in it, by key or by pattern", async () => {
    await cache.setMany({ a: 1, "query:1": 1, "query:2": 1, "session:1": 1 });
    await cutOff();
    expect(await cache.delete("a")).toBe(0);
    await cache.deletePattern("query:*");
    expect(await cache.getMany(["a", "query:1"])).toEqual([undefined, undefined]);
    expect(cache.pending).toBe(2);
    expect(await stored("a")).toBe("1");
    await restore();
    expect(await cache.getMany(["a", "query:1", "query:2", "session:1"])).toEqual([undefined, undefined, undefined, 1]);
  });

  it("serves nothing older than a delete until it is replayed, not even with fallback: false", async () => {
    await cache.set("a", "old");
    await cutOff();
    await cache.delete("a");
    const insist = cache.get("a", { fallback: false });
    await expect(insist).rejects.toMatchObject({ name: "TransportError", kind: "unreachable", delivery: "none" });
    await expect(insist).rejects.toThrow(/fallback: false/);
    await restore();
    expect(await cache.get("a", { fallback: false })).toBeUndefined();
  });

  it("ends with every write on the primary: values, counters, lists, ends", async () => {
    await cache.set("value", "before");
    await cache.increment("counter", 5);
    await cache.rpush("list", "a");
    await cutOff();
    await cache.set("value", "after", { ttl: "1h" });
    await cache.set("fresh", [1]);
    expect(await cache.increment("counter", 2)).toBe(2);
    await cache.increment("counter");
    await cache.rpush("list", "b", "c");
    await cache.lpush("list", "z");
    await cache.pipeline().set("piped", 1).increment("counter", 10).execute();
    await cache.transaction().set("atomic", 1).expire("atomic", "1h").execute();
    await cache.expire("list", "1h");
    await restore();
    expect(await cache.getMany(["value", "fresh", "counter", "piped", "atomic"])).toEqual(["after", [1], 18, 1, 1]);
    expect(await cache.lrange("list", 0, -1)).toEqual(["z", "a", "b", "c"]);
    for (const key of ["value", "atomic", "list"]) expect(await cache.ttl(key)).toBeGreaterThan(3_500);
  });

  it("gives way to writes of other processes, and says how often", async () => {
    await cache.set("known", "before");
    await cutOff();
    await cache.setMany({ known: "mine", unknown: "mine", free: "mine" });
    await redis.command("SET", "known", '"theirs"');
    await redis.command("SET", "unknown", '"theirs"');
    const recovered: CacheEvents["recovered"][] = [];
    cache.on("recovered", (event) => recovered.push(event));
    await restore();
    expect(await cache.getMany(["known", "unknown", "free"])).toEqual(["theirs", "theirs", "mine"]);
    expect(recovered).toMatchObject([{ replayed: 1, superseded: 2, dropped: 0 }]);
  });

  it("tells of every write that only this process has, and how it stands", async () => {
    const kept: CacheEvents["kept"][] = [];
    cache.on("kept", (event) => kept.push(event));
    await cache.set("a", 1);
    expect(cache.stats()).toMatchObject({ backend: "upstash", pending: 0, outage: undefined });
    const before = Date.now();
    await cutOff();
    expect(await cache.set("a", 2)).toBe(true);
    await cache.increment("n");
    expect(kept).toEqual([
      { mutations: 1, pending: 1 },
      { mutations: 1, pending: 2 },
    ]);
    const outage = { state: "local", reason: expect.stringContaining("unreachable"), dropped: 0 };
    expect(cache.stats()).toMatchObject({ backend: "local", pending: 2, outage });
    expect(await cache.info()).toMatchObject({ backend: "local", pending: 2, outage: { journal: { entries: 2 } } });
    expect(cache.outage?.sinceMs).toBeGreaterThanOrEqual(before);
  });

  it("lets an invalidation win over a loader that was running", async () => {
    await cutOff();
    let load: ((value: string) => void) | undefined;
    const loading = cache.getOrSet("a", () => new Promise<string>((resolve) => (load = resolve)));
    await expect.poll(() => load).toBeDefined();
    await cache.deletePattern("a*");
    load?.("stale");
    expect(await loading).toBe("stale");
    expect(await cache.get("a")).toBeUndefined();
    await restore();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("leaves messages within the process, marked as such", async () => {
    await cutOff();
    expect(await cache.publish("c", "hello")).toBe(0);
    await restore();
  });

  it("ends well though the primary goes away again while it is being told", async () => {
    await cache.setMany(Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d:${at}`, at])));
    await cutOff();
    for (let at = 0; at < 300; at++) {
      void cache.delete(`d:${at}`);
      void cache.increment(`n:${at}`, at + 1);
      void cache.rpush("l", at);
    }
    await cache.flush();
    for (const afterBytes of [5, 25, 60, 200]) {
      proxy.set({ kind: "cut", afterBytes });
      await sleep(120);
      proxy.cut();
    }
    await restore();
    expect(await cache.lrange("l", 0, -1)).toEqual(Array.from({ length: 300 }, (_, at) => at));
    for (const at of [0, 150, 299]) {
      expect(await redis.command("GET", `n:${at}`)).toBe(String(at + 1));
      expect(await redis.command("EXISTS", `d:${at}`)).toBe(0);
    }
  });

  it("may serve what was read a moment ago, no older than asked for", async () => {
    // The age is that of the clock, which stands still until it is set.
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const warm = open({ warmStart: { maxAge: "500ms" } });
    await warm.set("written", 1);
    await redis.command("SET", "read", "2");
    await warm.getMany(["read", "missing"]);
    await warm.set("deleted", 1);
    await cutOff(warm);
    await warm.delete("deleted");
    expect(await warm.getMany(["written", "read", "missing", "deleted"])).toEqual([1, 2, undefined, undefined]);
    vi.advanceTimersByTime(501);
    expect(await warm.getMany(["written", "read"])).toEqual([undefined, undefined]);
    expect(warm.pending).toBe(1);
  });

  it("costs one last try when the cache closes, which says what remained", async () => {
    const brief = open({ closeTimeout: "200ms", healthCheckInterval: "1h" });
    const errors: CacheEvents["error"][] = [];
    brief.on("error", (event) => errors.push(event));
    await cutOff(brief);
    await brief.set("a", "value-canary");
    await brief.close();
    expect(errors.map(({ operation, error }) => `${operation}: ${error.message}`)).toEqual([
      "close: Closed with 1 mutation(s) that were not replayed to the primary: they are lost",
    ]);

    const lucky = open({ closeTimeout: "5s", healthCheckInterval: "1h" });
    await cutOff(lucky);
    await lucky.set("b", 2);
    proxy.set({ kind: "pass" });
    await lucky.close();
    expect(await stored("b")).toBe("2");
  });

  it("survives the process where the journal has a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "continuum-cache-journal-"));
    try {
      const path = join(folder, "outage.journal");
      await cache.setMany({ a: "old", b: "old" });
      const first = open({ journal: { store: fileJournal({ path }) }, closeTimeout: "50ms" });
      await first.get("b");
      await cutOff(first);
      await first.delete("a");
      await first.set("b", "new");
      await first.increment("n", 3);
      await first.deletePattern("query:*");
      await redis.command("SET", "query:1", "1");
      await first.close();

      const second = open({ journal: { store: fileJournal({ path }) } });
      expect(await second.get("a")).toBeUndefined();
      expect(second.pending).toBe(4);
      await second.increment("n", 4);
      await restore(second);
      expect(await second.getMany(["a", "b", "n", "query:1"])).toEqual([undefined, "new", 7, undefined]);
      await second.close();

      const third = open({ journal: { store: fileJournal({ path }) } });
      expect(await third.get("n")).toBe(7);
      expect(third.pending).toBe(0);
    } finally {
      await Promise.all(opened.splice(0).map((one) => one.close()));
      await rm(folder, { recursive: true });
    }
  });
});
