import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type StandardSchema, type Transport } from "@continuum-cache/core";
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

  it.each([
    ["a list", ["user:7"]],
    ["told by the value", () => ["user:7"]],
  ] as const)("gives the other processes what one has loaded, with tags as %s", async (__, tags) => {
    const all = [connect(), connect(), connect()];
    let loads = 0;
    const load = async () => {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return `value ${loads}`;
    };
    const options = { tags: tags as never, singleFlight: "global", timeout: "8s", ttl: "1h" } as const;
    const ask = () => Promise.all(all.map((cache) => cache.getOrSet("key", load, options)));
    expect(await ask()).toEqual(["value 1", "value 1", "value 1"]);
    expect(loads).toBe(1);
    await all[0]?.invalidateTags("user:7");
    expect(await ask()).toEqual(["value 2", "value 2", "value 2"]);
    expect(loads).toBe(2);
  });

  it("loads once where what is stored does not fit the schema", async () => {
    const isText: StandardSchema<unknown, string> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => (typeof value === "string" ? { value } : { issues: [{ message: "Expected a text" }] }),
      },
    };
    const all = [connect(), connect(), connect()];
    await all[0]?.set("key", 7);
    let loads = 0;
    const load = async () => {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return "text";
    };
    const options = { schema: isText, singleFlight: "global", timeout: "8s" } as const;
    expect(await Promise.all(all.map((cache) => cache.getOrSet("key", load, options)))).toEqual([
      "text",
      "text",
      "text",
    ]);
    expect(loads).toBe(1);
  });

  it("replaces a value with an invalidated tag by as many commands as a missing one", async () => {
    const cache = connect();
    const options = { tags: ["user:7"], singleFlight: "global", ttl: "1h" } as const;
    const billed = async (work: () => Promise<unknown>): Promise<number> => {
      const before = cache.stats().commands;
      await work();
      return cache.stats().commands - before;
    };
    await cache.getOrSet("other", () => 0, options);
    const missing = await billed(() => cache.getOrSet("key", () => 1, options));
    await cache.invalidateTags("user:7");
    await cache.getOrSet("other", () => 1, options);
    expect(await billed(() => cache.getOrSet("key", () => 2, options))).toBe(missing);
    expect(await cache.get("key")).toBe(2);
  });
});
