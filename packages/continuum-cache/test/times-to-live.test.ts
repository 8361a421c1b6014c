import { keyPattern, keys, UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends, optionsFor, type RunningBackend } from "./backends.ts";

describe.each(backends)("the time to live on $name", ({ start }) => {
  let backend: RunningBackend;
  let cache: UpstashCache;
  beforeAll(async () => {
    backend = await start();
    cache = new UpstashCache(optionsFor(backend, { defaultTtl: "1d" }));
  });
  afterAll(async () => {
    await cache.close();
    await backend.close();
  });
  beforeEach(async () => {
    await cache.deletePattern("*");
  });
  /** In steps of ten seconds, so that a slow machine sees the same. */
  const ttlOf = async (key: string): Promise<number> => Math.ceil((await cache.ttl(key)) / 10) * 10;

  it("is the pattern's for a key that it has made, and the default for any that was spelled by hand", async () => {
    const order = keyPattern("order:{region}:{id}", { ttl: "10m" });
    await cache.set(order({ region: "eu", id: 7 }), 1);
    await cache.getOrSet(keys.session({ userId: "made" }), () => 1);
    await cache.setMany({ "session:x": 1, "memory:x": 1, "query:x": 1, "order:eu:8": 1, product: 1 });
    expect(await ttlOf(order({ region: "eu", id: 7 }))).toBe(600);
    expect(await ttlOf("session:made")).toBe(3_600);
    for (const key of ["session:x", "memory:x", "query:x", "order:eu:8", "product"]) {
      expect(await ttlOf(key)).toBe(86_400);
    }
  });

  it("is kept by `keepTtl`, and the default where there was none to keep", async () => {
    await cache.set("timed", 1, { ttl: 100 });
    await cache.set("for ever", 1, { ttl: Number.POSITIVE_INFINITY });
    for (const key of ["timed", "for ever", "new"]) expect(await cache.set(key, 2, { keepTtl: true })).toBe(true);
    expect(await cache.getMany(["timed", "for ever", "new"])).toEqual([2, 2, 2]);
    expect([await ttlOf("timed"), await cache.ttl("for ever"), await ttlOf("new")]).toEqual([100, -1, 86_400]);
    const [kept, made, absent, there] = await cache
      .pipeline()
      .set("timed", 3, { keepTtl: true })
      .set("made", 3, { keepTtl: true })
      .set("absent", 3, { keepTtl: true, xx: true })
      .set("timed", 4, { keepTtl: true, nx: true })
      .execute();
    expect([kept, made, absent, there]).toEqual([true, true, false, false]);
    expect([await ttlOf("timed"), await ttlOf("made"), await cache.get("timed")]).toEqual([100, 86_400, 3]);
    expect(await cache.transaction().set("tx", 1, { keepTtl: true }).get("tx").execute()).toEqual([true, 1]);
    expect(await ttlOf("tx")).toBe(86_400);
  });

  it("is taken away by `expire` with Infinity", async () => {
    await cache.set("k", 1);
    expect(await cache.expire("k", Number.POSITIVE_INFINITY)).toBe(true);
    expect(await cache.ttl("k")).toBe(-1);
    expect(await cache.expire("k", Number.POSITIVE_INFINITY)).toBe(true);
    expect(await cache.expire("none", Number.POSITIVE_INFINITY)).toBe(false);
    expect(await cache.pipeline().set("p", 1).expire("p", Number.POSITIVE_INFINITY).ttl("p").execute()).toEqual([
      true,
      true,
      -1,
    ]);
  });
});

describe("an UpstashCache", () => {
  const options = { mode: "local", env: {} } as const;

  it("rejects an option that does not exist, and names the closest", () => {
    const make = (given: object) => () => new UpstashCache({ ...options, ...given });
    expect(make({ defaultTTL: "1d" })).toThrow(
      /new UpstashCache has no option "defaultTTL"\. Did you mean `defaultTtl`\?/,
    );
    expect(make({ prefix: "a:" })).toThrow(/Did you mean `keyPrefix`\?/);
    expect(make({ token: "t" })).toThrow(/Did you mean `restToken`\?/);
    expect(() => new UpstashCache("https://x.upstash.io" as never)).toThrow(
      expect.objectContaining({ name: "ConfigError" }),
    );
  });

  it("publishes a history through one PubSub, however many views of it publish", async () => {
    const cache = new UpstashCache(options);
    let made = 0;
    const pubsub = cache.pubsub.bind(cache);
    cache.pubsub = (given) => {
      made++;
      return pubsub(given);
    };
    for (let index = 0; index < 20; index++) {
      await cache.with({ timeout: "60s" }).publish("channel", index, { replay: true });
    }
    await cache.publish("channel", "last", { replay: true });
    expect(made).toBe(1);
    expect(await cache.publish("channel", "no history", { replay: false })).toBe(0);
    await cache.close();
  });
});
