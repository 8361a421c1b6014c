import { type RedisServer, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache, type UpstashCacheOptions } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

let redis: RedisServer;
let rest: UpstashLocal;
beforeAll(async () => {
  redis = await startRedisServer();
  rest = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
});
afterAll(async () => {
  await rest.close();
  await redis.close();
});

function open(where: UpstashCacheOptions): UpstashCache {
  const cache = new UpstashCache({ ...where, timeout: "1m" });
  onTestFinished(() => cache.close());
  return cache;
}

/**
 * Keeps 64 callers busy, each of which writes its key and reads it again.
 *
 * @returns how many trips a turn of all took
 */
async function tripsPerTurn(cache: UpstashCache, rounds: number): Promise<number> {
  await cache.set("first", true);
  const before = cache.stats().trips;
  const caller = async (_: unknown, nth: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      await cache.set(`key:${nth}`, { nth, round });
      expect(await cache.get(`key:${nth}`)).toEqual({ nth, round });
    }
  };
  await Promise.all(Array.from({ length: 64 }, caller));
  return (cache.stats().trips - before) / (2 * rounds);
}

describe("64 callers at once", () => {
  it("travel in several trips over the Redis protocol, and each reads what it wrote", async () => {
    const cache = open({ url: redis.url });
    expect(cache.transport.hasCheapTrips).toBe(true);
    expect(await tripsPerTurn(cache, 20)).toBeGreaterThan(1);
  });

  it("travel in one request over REST", async () => {
    const cache = open({ restUrl: rest.url, restToken: "local" });
    expect(cache.transport.hasCheapTrips).toBeUndefined();
    expect(await tripsPerTurn(cache, 5)).toBe(1);
  });

  it("have the answers that came, though the connection breaks before the second half has its own", async () => {
    const proxy = await startFaultProxy({ port: redis.port });
    onTestFinished(() => proxy.close());
    const cache = open({ url: `redis://127.0.0.1:${proxy.port}` });
    await cache.setMany(Object.fromEntries(Array.from({ length: 64 }, (_, nth) => [`value:${nth}`, nth])));
    const answered: number[] = [];
    const followUps: Promise<unknown>[] = [];
    const calls = Array.from({ length: 64 }, async (_, nth) => {
      const value = await cache.get(`value:${nth}`);
      answered.push(nth);
      if (nth === 0) {
        proxy.set({ kind: "refuse" });
        proxy.cut();
      }
      if (nth < 32) followUps.push(cache.increment("counter"));
      return value;
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 64 }, (_, nth) => nth));
    expect(answered).toEqual(Array.from({ length: 64 }, (_, nth) => nth));
    // What was asked in between was answered by the memory of this process, once each.
    expect((await Promise.all(followUps)).sort((a, b) => Number(a) - Number(b))).toHaveLength(32);
    expect(cache.currentBackend).toBe("local");
    proxy.set({ kind: "pass" });
    await expect.poll(() => cache.currentBackend, { timeout: 60_000 }).toBe("upstash");
    expect(await cache.get("counter")).toBe(32);
  });
});
