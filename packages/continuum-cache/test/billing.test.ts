import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Transport } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let redis: RedisServer;
let gateway: UpstashLocal;
let requests = 0;

beforeAll(async () => {
  redis = await startRedisServer();
  gateway = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
});
afterAll(async () => {
  await gateway.close();
  await redis.close();
});

/** Of a call, however slow the machine is. */
const timeout = "150s";

const countingFetch: typeof fetch = (...args) => {
  requests++;
  return fetch(...args);
};

describe.each<[string, () => Transport]>([
  ["REST", () => restTransport({ url: gateway.url, token: "local", fetch: countingFetch, timeout })],
  ["TCP", () => tcpTransport({ url: redis.url, timeout })],
])("what Upstash would bill over %s", (name, make) => {
  let cache: Cache;
  beforeAll(async () => {
    cache = new Cache({ transport: make(), timeout });
    await cache.ping();
  });
  afterAll(() => cache.close());

  /** The commands that Redis ran for a piece of work, how many trips it took, and how many HTTP requests. */
  const billed = async (work: () => Promise<unknown>) => {
    await redis.resetStats();
    const [tripsBefore, requestsBefore] = [cache.stats().trips, requests];
    await work();
    const counted = Object.entries(await redis.commandStats());
    // The counting itself: PING, CONFIG RESETSTAT and INFO.
    const commands = Object.fromEntries(counted.filter(([name]) => !/^(config\||info$|ping$)/.test(name)));
    return { commands, trips: cache.stats().trips - tripsBefore, requests: requests - requestsBefore };
  };
  const once = { trips: 1, requests: name === "REST" ? 1 : 0 };

  it("100 concurrent gets: one command, one round trip", async () => {
    const gets = () => Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(`k${i}`)));
    expect(await billed(gets)).toEqual({ commands: { mget: 1 }, ...once });
  });

  it("100 gets of one key: one command that asks for it once", async () => {
    expect(await billed(() => Promise.all(Array.from({ length: 100 }, () => cache.get("k"))))).toEqual({
      commands: { mget: 1 },
      ...once,
    });
  });

  it("getMany of 100: one command", async () => {
    expect(await billed(() => cache.getMany(Array.from({ length: 100 }, (_, i) => `k${i}`)))).toEqual({
      commands: { mget: 1 },
      ...once,
    });
  });

  it("setMany of 100: one round trip, 100 commands", async () => {
    const entries = Array.from({ length: 100 }, (_, i): [string, number] => [`k${i}`, i]);
    expect(await billed(() => cache.setMany(entries, { ttl: 60 }))).toEqual({ commands: { set: 100 }, ...once });
  });

  it("a pipeline of N: one round trip, N commands, as the documentation says", async () => {
    expect(await billed(() => cache.pipeline().set("a", 1).get("a").increment("n").execute())).toEqual({
      commands: { set: 1, get: 1, incrby: 1 },
      ...once,
    });
  });

  it("different calls of one tick: one round trip", async () => {
    const work = () => Promise.all([cache.set("a", 1), cache.get("b"), cache.increment("n"), cache.get("c")]);
    expect(await billed(work)).toEqual({ commands: { set: 1, mget: 1, incrby: 1 }, ...once });
  });

  it("getOrSet by 50 callers of a cold key: one read, one write", async () => {
    await cache.delete("cold");
    expect(
      await billed(() => Promise.all(Array.from({ length: 50 }, () => cache.getOrSet("cold", () => 1)))),
    ).toMatchObject({
      commands: { mget: 1, set: 1 },
      trips: 2,
    });
  });

  it("deletePattern of 10,000 of 100,000 keys: a SCAN per 1,000 keys, an UNLINK per 500 matches, no KEYS", async () => {
    const fill = `for i = 1, 100000 do redis.call("SET", (i % 10 == 0 and "query:" or "other:") .. i, i) end`;
    await redis.command("EVAL", fill, 0);
    const { commands } = await billed(async () => expect(await cache.deletePattern("query:*")).toBe(10_000));
    expect(Object.keys(commands).sort()).toEqual(["scan", "unlink"]);
    expect((commands["scan"] ?? 0) + (commands["unlink"] ?? 0)).toBeLessThanOrEqual(125);
    await redis.command("FLUSHALL");
  });
});
