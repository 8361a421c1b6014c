import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

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

describe.each<[string, () => Transport]>([
  ["REST", () => restTransport({ url: gateway.url, token: "local" })],
  ["TCP", () => tcpTransport({ url: redis.url })],
])("one loader over all processes for values with tags, over %s", (_, make) => {
  const caches: Cache[] = [];
  const connect = (): Cache => {
    const cache = new Cache({ transport: make() });
    caches.push(cache);
    return cache;
  };
  beforeEach(async () => {
    const direct = make();
    await direct.send([["FLUSHALL"]]);
    await direct.close();
  });
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });

  it.each([["2d"], [Number.POSITIVE_INFINITY]] as const)(
    "stores the value and not its markers, with ttl %s",
    async (ttl) => {
      const [one, other] = [connect(), connect()];
      const options = { tags: ["user:7"], singleFlight: "global", ttl } as const;
      expect(await one.getOrSet("key", () => "value", options)).toBe("value");
      expect(await other.get("key")).toBe("value");
      expect(await other.ttl("key")).toBe(ttl === "2d" ? 172_800 : -1);
      await other.invalidateTags("user:7");
      expect(await one.get("key")).toBeUndefined();
    },
  );
});
