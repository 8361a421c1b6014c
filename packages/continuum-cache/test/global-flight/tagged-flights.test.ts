import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

let redis: RedisServer;
let gateway: UpstashLocal;
beforeAll(async () => {
  redis = await startRedisServer();
  gateway = await startUpstashLocal({ port: 0, token: "local" });
});
afterAll(async () => {
  await gateway.close();
  await redis.close();
});

/** Of a call, however slow the machine is. */
const timeout = "150s";

describe.each<[string, () => Transport]>([
  ["REST, where the server knows IFEQ", () => restTransport({ url: gateway.url, token: "local", timeout })],
  ["TCP, where it does not", () => tcpTransport({ url: redis.url, timeout })],
])("one loader over all processes of values with tags over %s", (protocol, make) => {
  const caches: Cache[] = [];
  const open = (): Cache => {
    const cache = new Cache({ transport: make(), timeout });
    caches.push(cache);
    return cache;
  };
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });

  it.each(["1h", "7d", Number.POSITIVE_INFINITY] as const)("stores what was loaded with a ttl of %s", async (ttl) => {
    const [cache, other] = [open(), open()];
    const [key, tag] = [`flight:${protocol}:${ttl}`, `flight-tag:${protocol}:${ttl}`];
    const options = { singleFlight: "global", tags: [tag], ttl } as const;
    expect(await cache.getOrSet(key, () => ({ loaded: true }), options)).toEqual({ loaded: true });
    expect(await other.get(key)).toEqual({ loaded: true });
    await other.invalidateTags(tag);
    expect(await cache.get(key)).toBeUndefined();
  });

  it("gives a process that waits what the other has stored, for a few commands", async () => {
    const [cache, other] = [open(), open()];
    const key = `waiting:${protocol}`;
    const options = { singleFlight: "global", tags: [`waiting-tag:${protocol}`], ttl: "1h" } as const;
    let begun = (): void => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let go = (): void => {};
    const mayEnd = new Promise<void>((resolve) => {
      go = resolve;
    });
    const load = async () => {
      begun();
      await mayEnd;
      return "first";
    };
    const loading = cache.getOrSet(key, load, options);
    await hasBegun;
    const { commands } = other.stats();
    const waiting = [1, 2].map(() => other.getOrSet(key, () => "second", options));
    await expect.poll(() => other.stats().commands).toBeGreaterThan(commands + 1);
    go();
    expect(await Promise.all([loading, ...waiting])).toEqual(["first", "first", "first"]);
    expect(other.stats().commands - commands).toBeLessThan(40);
  });

  it("loads once over all processes after an invalidation, and the failure of that load leaves nothing", async () => {
    const processes = [open(), open(), open()];
    const [first] = processes as [Cache, ...Cache[]];
    const [key, tag] = [`invalidated:${protocol}`, `invalidated-tag:${protocol}`];
    const options = { singleFlight: "global", tags: [tag], ttl: "1h" } as const;
    await Promise.all(processes.map((cache) => cache.getOrSet(key, () => "old", options)));
    let loads = 0;
    const load = async () => {
      loads++;
      await expect.poll(() => Math.min(...processes.map((cache) => cache.stats().misses))).toBeGreaterThan(0);
      return "new";
    };
    await first.invalidateTags(tag);
    const fail = () => Promise.reject(new Error("no"));
    await expect(first.getOrSet(key, fail, options)).rejects.toThrow("no");
    await expect.poll(() => first.exists(key)).toBe(false);
    await first.getOrSet(key, () => "old", options);
    await first.invalidateTags(tag);
    expect(await Promise.all(processes.map((cache) => cache.getOrSet(key, load, options)))).toEqual(
      processes.map(() => "new"),
    );
    expect(loads).toBe(1);
    expect(await first.get(key)).toBe("new");
  });
});
