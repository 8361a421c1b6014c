import { isConfigError } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache as FullCache, PubSub } from "continuum-cache";
import { type RestCacheOptions, UpstashCache } from "continuum-cache/rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: UpstashLocal;
beforeAll(async () => {
  server = await startUpstashLocal({ port: 0 });
});
afterAll(() => server.close());

const env = (): Record<string, string> => ({
  UPSTASH_REDIS_REST_URL: server.url,
  UPSTASH_REDIS_REST_TOKEN: server.token,
});

describe("the UpstashCache of continuum-cache/rest", () => {
  it("stores and reads what the other stores and reads", async () => {
    await using small = new UpstashCache({ env: env(), keyPrefix: "shared:" });
    await using full = new FullCache({ env: env(), keyPrefix: "shared:" });
    await small.set("a", { text: "ü" }, { ttl: 60 });
    expect(await full.get("a")).toEqual({ text: "ü" });
    await full.set("b", [1, null]);
    expect(await small.getMany(["a", "b", "none"])).toEqual([{ text: "ü" }, [1, null], undefined]);
    expect(small.currentBackend).toBe("upstash");
  });

  it("takes a codec of its own, and reads JSON all the same", async () => {
    await using json = new UpstashCache({ env: env() });
    await using packed = new UpstashCache({ env: env(), codec: msgpack() });
    await json.set("json", { a: 1 });
    await packed.set("packed", new Map([["a", 1n]]));
    expect(await packed.getMany(["json", "packed"])).toEqual([{ a: 1 }, new Map([["a", 1n]])]);
    const errors: string[] = [];
    json.on("error", ({ error }) => errors.push(error.message));
    expect(await json.get("packed")).toBeUndefined();
    expect(errors).toEqual([expect.stringContaining("add the one that did to `codec`")]);
  });

  it("publishes, and can't listen", async () => {
    await using cache = new UpstashCache({ env: env() });
    expect(await cache.publish("news", "hello")).toBe(0);
    await using pubsub = new PubSub(cache);
    await expect(pubsub.subscribe("news")).rejects.toMatchObject({
      kind: "protocol",
      message: expect.stringContaining("can't listen"),
    });
  });

  it("rejects while the server is away, and answers again once it is back", async () => {
    await using cache = new UpstashCache({ env: env(), retries: 0, timeout: "60s" });
    server.fault("refuse");
    await expect(cache.get("k")).rejects.toMatchObject({ name: "TransportError", kind: "unreachable" });
    server.fault(undefined);
    expect(await cache.get("k")).toBeUndefined();
  });

  it.each<[string, object, Record<string, string>, string, RegExp]>([
    ["a fallback", { fallback: true }, {}, "fallback", /has no fallback: import it from "continuum-cache"/],
    ["a fallback by variable", {}, { CONTINUUM_CACHE_FALLBACK: "true" }, "CONTINUUM_CACHE_FALLBACK", /has no fallback/],
    ["a fallback that is neither", {}, { CONTINUUM_CACHE_FALLBACK: "yes" }, "CONTINUUM_CACHE_FALLBACK", /got "yes"/],
    ["another mode", { mode: "redis" }, {}, "mode", /has REST alone: import it from "continuum-cache"/],
    ["another mode by variable", {}, { CONTINUUM_CACHE_MODE: "local" }, "CONTINUUM_CACHE_MODE", /is "local"/],
    ["the Redis protocol", { url: "redis://localhost" }, {}, "url", /has no option "url"/],
    [
      "a codec by name",
      { codec: "msgpack" },
      {},
      "codec",
      /msgpack\(\) of "@continuum-cache\/core\/msgpack", got "msgp/,
    ],
    [
      "no server",
      {},
      { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" },
      "UPSTASH_REDIS_REST_URL",
      /set UPST/,
    ],
    ["a health check that can't be", { healthCheckInterval: "soon" }, {}, "healthCheckInterval", /"soon"/],
  ])("rejects %s when it is made", (_, options, variables, setting, message) => {
    try {
      new UpstashCache({ ...options, env: { ...env(), ...variables } } as RestCacheOptions);
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error) && error.setting).toBe(setting);
      expect(String(error)).toMatch(message);
    }
  });

  it("does not mind a fallback that is switched off by variable", async () => {
    await using cache = new UpstashCache({ env: { ...env(), CONTINUUM_CACHE_FALLBACK: "false" } });
    expect(await cache.ping()).toBe(true);
  });
});
