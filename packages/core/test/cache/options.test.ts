import {
  Cache,
  type CacheOptions,
  ConfigError,
  type GetOrSetOptions,
  guarded,
  json,
  keyPattern,
  type SetOptions,
} from "@continuum-cache/core";
import { createBreaker, defineScript, runScript } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

const cacheOn = (transport = recordingTransport(empty)) => ({ transport, cache: new Cache({ transport }) });
/** Options as a program without types passes them. */
const untyped = (options: unknown) => options as never;

describe("an option that does not exist", () => {
  const misspelt: Record<string, [(cache: Cache) => unknown, string]> = {
    "cache.set": [(cache) => cache.set("k", 1, untyped({ tttl: 60 })), "Did you mean `ttl`?"],
    "cache.set, as other clients name it": [(cache) => cache.set("k", 1, untyped({ ex: 60 })), "Did you mean `ttl`?"],
    "cache.set, in another case": [(cache) => cache.set("k", 1, untyped({ TTL: 60 })), "Did you mean `ttl`?"],
    "cache.setMany": [(cache) => cache.setMany({ k: 1 }, untyped({ px: 60 })), "Did you mean `ttl`?"],
    "cache.get": [(cache) => cache.get("k", untyped({ tiemout: 1 })), "Did you mean `timeout`?"],
    "cache.getMany": [(cache) => cache.getMany(["k"], untyped({ fallbak: false })), "Did you mean `fallback`?"],
    "cache.getOrSet": [(cache) => cache.getOrSet("k", () => 1, untyped({ loadTimeout: 1 })), "`loaderTimeout`?"],
    "cache.delete": [(cache) => cache.delete("k", untyped({ signals: 1 })), "Did you mean `signal`?"],
    "cache.deletePattern": [
      (cache) => cache.deletePattern("k*", untyped({ progress: 1 })),
      "cache.deletePattern has no",
    ],
    "cache.exists": [(cache) => cache.exists("k", untyped({ timeOut: 1 })), "Did you mean `timeout`?"],
    "cache.expire": [(cache) => cache.expire("k", 1, untyped({ nx: true })), "cache.expire has no option"],
    "cache.ttl": [(cache) => cache.ttl("k", untyped({ unit: "ms" })), "cache.ttl has no option"],
    "cache.increment": [(cache) => cache.increment("k", 1, untyped({ ttl: 1 })), "cache.increment has no option"],
    "cache.lpop": [(cache) => cache.lpop("k", untyped({ count: 1 })), "cache.lpop has no option"],
    "cache.rpop": [(cache) => cache.rpop("k", untyped({ count: 1 })), "cache.rpop has no option"],
    "cache.lrange": [(cache) => cache.lrange("k", 0, 1, untyped({ limit: 1 })), "cache.lrange has no option"],
    "cache.llen": [(cache) => cache.llen("k", untyped({ x: 1 })), "cache.llen has no option"],
    "cache.publish": [(cache) => cache.publish("c", 1, untyped({ replays: 1 })), "cache.publish has no option"],
    "cache.ping": [(cache) => cache.ping(untyped({ timout: 1 })), "Did you mean `timeout`?"],
    "cache.info": [(cache) => cache.info(untyped({ section: 1 })), "cache.info has no option"],
    "cache.with": [async (cache) => cache.with(untyped({ timout: 1 })), "Did you mean `timeout`?"],
    "pipeline.set": [async (cache) => cache.pipeline().set("k", 1, untyped({ ex: 1 })), "Did you mean `ttl`?"],
    "pipeline.set with call options": [
      async (cache) => cache.pipeline().set("k", 1, untyped({ timeout: 1 })),
      "pipeline.set has no option",
    ],
    "pipeline.execute": [
      (cache) =>
        cache
          .pipeline()
          .get("k")
          .execute(untyped({ atomic: 1 })),
      "cache.pipeline().execute",
    ],
    "transaction.executeSettled": [
      (cache) =>
        cache
          .transaction()
          .get("k")
          .executeSettled(untyped({ timout: 1 })),
      "cache.transaction().execute",
    ],
    runScript: [
      (cache) => {
        const script = defineScript({ name: "one", keys: 1, lua: "return 1", memory: () => 1 });
        return runScript(cache.transport, script, ["k"], [], untyped({ timeout: 1 }));
      },
      "runScript has no option",
    ],
  };

  it.each(Object.entries(misspelt))("rejects %s before anything is sent", async (_, [call, message]) => {
    const { cache, transport } = cacheOn();
    const error = await Promise.resolve(call(cache)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(message);
    expect(transport.trips).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ["new Cache", () => new Cache(untyped({ transport: recordingTransport(empty), prefix: "a:" })), "`keyPrefix`?"],
    ["keyPattern", () => keyPattern("a:{b}", untyped({ tll: 1 })), "Did you mean `ttl`?"],
    ["json", () => json(untyped({ dates: true })), 'json has no option "dates". It takes none'],
    ["msgpack", () => msgpack(untyped({ dates: true })), 'msgpack has no option "dates". It takes none'],
    ["json with a number", () => json(untyped(5)), "json takes no options, got 5"],
  ])("makes %s throw", (_, make, message) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});

describe("an argument in the place of options", () => {
  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ["set(key, value, 60)", (cache) => cache.set("k", 1, untyped(60))],
    ['set(key, value, "5m")', (cache) => cache.set("k", 1, untyped("5m"))],
    ["set(key, value, null)", (cache) => cache.set("k", 1, untyped(null))],
    ["delete([key, key])", (cache) => cache.delete(untyped(["k", "l"]))],
    ["delete(key, null)", (cache) => cache.delete("k", untyped(null))],
    ["exists(key, key)", (cache) => cache.exists("k", untyped("l"))],
    ["getOrSet(key, loader, 60)", (cache) => cache.getOrSet("k", () => 1, untyped(60))],
    ["getOrSet(key, loader, null)", (cache) => cache.getOrSet("k", () => 1, untyped(null))],
    ["getOrSet(key, loader, 60) of a view", (cache) => cache.with({ timeout: 1 }).getOrSet("k", () => 1, untyped(60))],
    ["getOrSetMany(keys, loader, 60)", (cache) => cache.getOrSetMany(["k"], () => ({}), untyped(60))],
  ])("is rejected: %s", async (_, call) => {
    const { cache, transport } = cacheOn();
    await expect(call(cache)).rejects.toThrow(ConfigError);
    expect(transport.trips).toEqual([]);
  });

  it("says how keys in an array are deleted", async () => {
    await expect(cacheOn().cache.delete(untyped(["k"]))).rejects.toThrow("cache.delete(...keys)");
  });

  it.each<[string, (cache: Cache) => Promise<unknown>, string]>([
    ["getMany of a text", (cache) => cache.getMany(untyped("abc")), 'Expected a list of keys, got "abc"'],
    ["setMany of nothing", (cache) => cache.setMany(untyped(null)), "Expected a record of values"],
    ["getOrSet without a loader", (cache) => cache.getOrSet("k", untyped(undefined)), "Expected a loader"],
    ["increment by a text", (cache) => cache.increment("k", untyped("2")), 'got "2"'],
  ])("names what was expected: %s", async (_, call, message) => {
    const { cache, transport } = cacheOn();
    await expect(call(cache)).rejects.toThrow(message);
    expect(transport.trips).toEqual([]);
  });
});

describe("an option that can't be", () => {
  it.each<[string, SetOptions]>([
    ["ttl", { ttl: 0 }],
    ["ttl", { ttl: "soon" as "1s" }],
    ["ttl", { ttl: untyped(null) }],
    ["nx", { nx: untyped("yes") }],
    ["keepTtl", { keepTtl: true, ttl: 1 }],
    ["nx", { nx: true, xx: true }],
  ])("makes `set` and `setMany` reject with a ConfigError for `%s`: %j", async (setting, options) => {
    const { cache, transport } = cacheOn();
    for (const call of [cache.set("k", 1, options), cache.setMany({ k: 1 }, options)]) {
      await expect(call).rejects.toMatchObject({ name: "ConfigError", setting });
    }
    expect(() => cache.pipeline().set("k", 1, options)).toThrow(ConfigError);
    expect(transport.trips).toEqual([]);
  });

  it.each<GetOrSetOptions>([
    { ttl: 0 },
    { ttl: -1 },
    { ttl: "5 minutes" as "5m" },
    { ttl: untyped(null) },
    { loaderTimeout: 0 },
    { timeout: "soon" as "1s" },
    { signal: untyped(new AbortController()) },
    { fallback: untyped("false") },
  ])("makes `getOrSet` reject before it reads or loads: %j", async (options) => {
    const { cache, transport } = cacheOn();
    const loader = vi.fn(() => 1);
    await expect(cache.getOrSet("k", loader, options)).rejects.toThrow(ConfigError);
    expect(loader).not.toHaveBeenCalled();
    expect(transport.trips).toEqual([]);
  });

  it.each<[string, Partial<Record<keyof CacheOptions, unknown>>]>([
    ["transport", { transport: "redis://localhost" }],
    ["maxValueBytes", { maxValueBytes: 0 }],
    ["timeout", { timeout: -1 }],
    ["defaultTtl", { defaultTtl: "forever" }],
    ["keyPrefix", { keyPrefix: 5 }],
    ["keyPrefix", { keyPrefix: "a\ud83d" }],
    ["codec", { codec: "json" }],
    ["codec", { codec: [json(), {}] }],
    ["patterns", { patterns: keyPattern("a:{b}") }],
  ])("makes `new Cache` throw a ConfigError for `%s`", (setting, options) => {
    const make = () => new Cache({ transport: recordingTransport(empty), ...options } as CacheOptions);
    expect(make).toThrow(expect.objectContaining({ name: "ConfigError", setting }));
  });

  it("makes `new Cache` throw when there are none at all", () => {
    expect(() => new Cache(untyped(undefined))).toThrow(/Expected `transport`/);
  });
});

describe("a function in the place of which something else came", () => {
  it("is rejected", async () => {
    await expect(cacheOn().cache.deletePattern("k*", { onProgress: untyped("log") })).rejects.toThrow(/`onProgress`/);
    expect(() => guarded(recordingTransport(empty), { onBreaker: untyped(5) })).toThrow(/`onBreaker`/);
    for (const breaker of [{ random: untyped(0.5) }, { clock: untyped({}) }, { clock: untyped(5) }]) {
      expect(() => createBreaker(breaker)).toThrow(ConfigError);
    }
  });
});

describe("listening to an event", () => {
  it("that does not exist throws, and names the closest", () => {
    const { cache } = cacheOn();
    expect(() => cache.on(untyped("errors"), () => {})).toThrow(/did you mean "error"\?/);
    expect(() => cache.on(untyped("nonsense"), () => {})).toThrow(ConfigError);
    expect(() => cache.on("error", untyped(undefined))).toThrow(ConfigError);
  });
});
