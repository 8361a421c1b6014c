import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type CacheOptions, type Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll } from "vitest";

/** Of a call, however slow the machine is. */
export const timeout = "150s";

/** One Redis for the tests of a file, and both ways to reach it. */
export interface BothProtocols {
  readonly redis: () => RedisServer;
  readonly ways: readonly (readonly [protocol: string, make: () => Transport])[];
}

/** Starts them before the tests of the file, and stops them behind the last. */
export function bothProtocols(): BothProtocols {
  let redis: RedisServer;
  let gateway: UpstashLocal;
  beforeAll(async () => {
    redis = await startRedisServer();
    gateway = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
  });
  afterAll(async () => {
    await gateway.close();
    await redis.close();
  });
  return {
    redis: () => redis,
    ways: [
      ["REST", () => restTransport({ url: gateway.url, token: "local", timeout })],
      ["TCP", () => tcpTransport({ url: redis.url, timeout })],
    ],
  };
}

/** Opens caches that each test closes. */
export function openedCaches(make: () => Transport): (options?: Omit<CacheOptions, "transport">) => Cache {
  const caches: Cache[] = [];
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });
  return (options = {}) => {
    const cache = new Cache({ transport: make(), timeout, ...options });
    caches.push(cache);
    return cache;
  };
}
