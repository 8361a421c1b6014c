import { type RedisServer, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UpstashCache } from "../src/index.ts";

describe("tags, leases and stale values behind the option near", () => {
  let server: RedisServer;
  let proxy: Awaited<ReturnType<typeof startFaultProxy>>;
  const caches: UpstashCache[] = [];
  beforeAll(async () => {
    server = await startRedisServer();
    proxy = await startFaultProxy(server);
  });
  afterAll(async () => {
    proxy.set({ kind: "pass" });
    await Promise.all(caches.map((cache) => cache.close()));
    await proxy.close();
    await server.close();
  });
  const open = (url: string): UpstashCache => {
    const cache = new UpstashCache({ url, near: { maxStaleness: "1h" }, env: {}, warn: () => {} });
    caches.push(cache);
    return cache;
  };
  const throughProxy = () => `redis://127.0.0.1:${proxy.port}`;
  const gate = () => {
    let go = (): void => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    return { gone, go: () => go() };
  };

  it.each([
    ["a list of tags", { tags: ["tag"] }],
    ["tags that the value tells", { tags: () => ["tag"] }],
    ["one loader over all processes", { tags: ["tag"], singleFlight: "global" }],
    ["both", { tags: () => ["tag"], singleFlight: "global" }],
    ["a stale value", { tags: ["tag"], ttl: "1m", staleWhileRevalidate: "1m", singleFlight: "global" }],
    ["a refresh ahead", { tags: ["tag"], ttl: "1m", refreshAhead: true }],
  ] as const)(
    "never serves what was invalidated while an outage began in the middle of a load: %s",
    async (name, given) => {
      const options = { ...given, timeout: "20s" } as never;
      const [cache, other] = [open(throughProxy()), open(server.url)];
      const key = `key of ${name}`;
      await cache.getOrSet(`${key}, warm`, () => 1, options);
      const { gone, go } = gate();
      let isLoading = false;
      const load = async () => {
        isLoading = true;
        await gone;
        return "old";
      };
      const loading = cache.getOrSet(key, load, options);
      await expect.poll(() => isLoading).toBe(true);
      proxy.set({ kind: "blackhole" });
      proxy.cut();
      await cache.ping();
      await other.invalidateTags("tag");
      go();
      expect(await loading).toBe("old");
      proxy.set({ kind: "pass" });
      proxy.cut();
      await expect.poll(() => cache.ping().then(() => cache.currentBackend), { timeout: 20_000 }).toBe("upstash");
      expect([await cache.get(key), await other.get(key), cache.peek(key)]).toEqual([undefined, undefined, undefined]);
      expect(await other.getOrSet(key, () => "new", options)).toBe("new");
      expect(await cache.get(key)).toBe("new");
      expect(await cache.getOrSet(key, () => "newer", options)).toBe("new");
    },
  );
});
