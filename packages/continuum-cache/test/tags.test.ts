import { keyPattern } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { bothProtocols, openedCaches } from "./both-protocols.ts";

const { redis, ways } = bothProtocols();
const tenTags = Array.from({ length: 10 }, (_, at) => `tag:${at}`);

describe.each(ways)("tags over %s", (protocol, make) => {
  const open = openedCaches(make);
  let nth = 0;
  const fresh = (name: string): string => `${name}:${protocol}:${nth++}`;

  /** The commands that Redis ran for a piece of work, and what the work brought. */
  const billed = async <Result>(work: () => Promise<Result>) => {
    await redis().resetStats();
    const result = await work();
    const counted = Object.entries(await redis().commandStats());
    const commands = Object.fromEntries(
      counted.filter(([name]) => !/^(config\||info$|ping$|client\||hello$)/.test(name)),
    );
    return { commands, result };
  };

  it("reads a value with ten tags by one command, also in a process that knows them from an earlier read", async () => {
    const key = fresh("ten");
    await open().set(key, { name: "Ada" }, { tags: tenTags });
    const reader = open();
    await reader.ping();
    const unknown = await billed(() => reader.get(key));
    expect(unknown).toEqual({ commands: { mget: 2 }, result: { name: "Ada" } });
    expect(await billed(() => reader.get(key))).toEqual({ commands: { mget: 1 }, result: { name: "Ada" } });
    const many = () => reader.getMany([key, "none", key]);
    expect(await billed(many)).toEqual({
      commands: { mget: 1 },
      result: [{ name: "Ada" }, undefined, { name: "Ada" }],
    });
  });

  it("reads a key whose pattern gives the tags by one command, the first time too", async () => {
    const order = keyPattern(`${fresh("order")}:{id}`, { tags: ({ id }) => [`order:${id}`, ...tenTags] });
    await open().set(order({ id: 7 }), "seven");
    const reader = open();
    await reader.ping();
    expect(await billed(() => reader.get(order({ id: 7 })))).toEqual({ commands: { mget: 1 }, result: "seven" });
  });

  it("invalidates ten tags by one command, for every process at once", async () => {
    const [one, other] = [open(), open()];
    const keys = tenTags.map(() => fresh("k"));
    await Promise.all(keys.map((key, at) => one.set(key, at, { tags: [`x${tenTags[at]}`] })));
    expect(await other.getMany(keys)).toEqual(keys.map((_, at) => at));
    const { commands } = await billed(() => one.invalidateTags(...tenTags.map((tag) => `x${tag}`)));
    expect(commands).toEqual({ del: 1 });
    expect(await other.getMany(keys)).toEqual(keys.map(() => undefined));
    expect(await one.getMany(keys)).toEqual(keys.map(() => undefined));
  });

  it("stores a value with ten tags by two commands, once their markers are there", async () => {
    const cache = open();
    await cache.set(fresh("warm"), 1, { tags: tenTags });
    expect((await billed(() => cache.set(fresh("warm"), 2, { tags: tenTags }))).commands).toEqual({ mget: 1, set: 1 });
  });

  it("reads what the process has stored itself by one command", async () => {
    const cache = open();
    const stores: Record<string, (key: string) => Promise<unknown>> = {
      set: (key) => cache.set(key, 1, { tags: tenTags }),
      setMany: (key) => cache.setMany({ [key]: 1 }, { tags: tenTags }),
      getOrSet: (key) => cache.getOrSet(key, () => 1, { tags: tenTags }),
      late: (key) => cache.getOrSet(key, () => 1, { tags: () => tenTags }),
    };
    for (const [name, store] of Object.entries(stores)) {
      const key = fresh(name);
      await store(key);
      expect([name, await billed(() => cache.get(key))]).toEqual([name, { commands: { mget: 1 }, result: 1 }]);
    }
  });

  it("verifies what several reads of a tick bring by one command", async () => {
    const keys = tenTags.map(() => fresh("tick"));
    const writer = open();
    await writer.setMany(
      keys.map((key): [string, string] => [key, key]),
      { tags: ["tick"] },
    );
    const reader = open();
    await reader.ping();
    const { commands, result } = await billed(() => Promise.all(keys.map((key) => reader.get(key))));
    expect(result).toEqual(keys);
    expect(commands).toEqual({ mget: 2 });
  });

  it("misses when a marker was evicted, holds another type, or is not the one of the value", async () => {
    const cache = open();
    const key = fresh("lost");
    const tag = fresh("lost-tag");
    for (const kind of ["del", "list", "text"]) {
      await cache.set(key, 1, { tags: [tag] });
      expect(await cache.get(key)).toBe(1);
      const marker = `continuum-cache:tag:${tag}`;
      await cache.transport.send([["DEL", marker]]);
      if (kind === "list") await cache.transport.send([["LPUSH", marker, "x"]]);
      if (kind === "text") await cache.transport.send([["SET", marker, "x"]]);
      expect(await cache.get(key), kind).toBeUndefined();
      await cache.transport.send([["DEL", marker]]);
    }
  });

  it("rejects what is no list of tags, before anything is sent", async () => {
    const cache = open();
    const key = fresh("wrong");
    const wrong = keyPattern(`${key}:{id}`, { tags: () => "user:7" as never });
    await cache.set(key, 1, { tags: ["any"] });
    const { commands } = await billed(async () => {
      for (const tags of ["user:7", null, 7, {}, new Set(["user:7"])] as never[]) {
        const expected = { name: "ConfigError", message: expect.stringContaining("Expected `tags` to be a list") };
        await expect(cache.set(key, 1, { tags })).rejects.toMatchObject(expected);
        await expect(cache.setMany({ [key]: 1 }, { tags })).rejects.toMatchObject(expected);
        await expect(cache.getOrSet(key, () => 1, { tags })).rejects.toMatchObject(expected);
        await expect(cache.getOrSetMany([key], () => ({}), { tags })).rejects.toMatchObject(expected);
      }
      await expect(cache.set(wrong({ id: 1 }), 1)).rejects.toThrow(/Expected `tags` to be a list .* got "user:7"/);
    });
    expect(commands).toEqual({});
  });

  it("invalidates more tags in one command than a value can have", async () => {
    const cache = open();
    const tags = Array.from({ length: 200 }, (_, at) => fresh(`many:${at}`));
    const last = tags.at(-1) as string;
    await cache.set(last, 1, { tags: [last] });
    expect((await billed(() => cache.invalidateTags(...tags))).commands).toEqual({ del: 1 });
    expect(await cache.get(last)).toBeUndefined();
    await expect(cache.set(last, 1, { tags })).rejects.toThrow(/at most 64 tags for a value, got 200/);
  });

  it("keeps a marker for as long as the longest value with its tag, after an invalidation too", async () => {
    const cache = open();
    const tag = fresh("life");
    const daysLeft = async () => {
      const lives = await cache.transport.send([
        ["PTTL", `continuum-cache:tag:${tag}`],
        ["PTTL", `continuum-cache:soft-tag:${tag}`],
      ]);
      return lives.map((ms) => (ms === -1 ? "for ever" : Math.ceil(Number(ms) / 86_400_000)));
    };
    for (let round = 0; round < 2; round++) {
      await cache.getOrSet(fresh("life"), () => 1, { tags: [tag], ttl: "30d" });
      expect(await daysLeft()).toEqual([60, 60]);
      await open().getOrSet(fresh("life"), () => 1, { tags: [tag], ttl: "2d" });
      expect(await daysLeft()).toEqual([60, 60]);
      await open().set(fresh("life"), 1, { tags: [tag], ttl: Number.POSITIVE_INFINITY });
      expect(await daysLeft()).toEqual(["for ever", "for ever"]);
      await open().set(fresh("life"), 1, { tags: [tag], ttl: "2d" });
      expect(await daysLeft()).toEqual(["for ever", "for ever"]);
      await cache.expireTags(tag);
      await cache.invalidateTags(tag);
    }
  });

  it("leaves the tags of another prefix alone", async () => {
    const [a, b] = [open({ keyPrefix: "a:" }), open({ keyPrefix: "b:" })];
    await a.set("k", 1, { tags: ["t"] });
    await b.set("k", 2, { tags: ["t"] });
    await a.invalidateTags("t");
    expect([await a.get("k"), await b.get("k")]).toEqual([undefined, 2]);
  });

  it("verifies what a pipeline and a transaction read", async () => {
    const cache = open();
    const key = fresh("pipe");
    await cache.set(key, 1, { tags: [key] });
    expect(await cache.pipeline().get(key).exists(key).execute()).toEqual([1, true]);
    await cache.invalidateTags(key);
    expect(await cache.transaction().get(key).execute()).toEqual([undefined]);
    expect(() => cache.pipeline().set(key, 1, { tags: ["t"] })).toThrow(/pipeline can't store a value with tags/);
  });

  it("clears a namespace, and those inside it, by one command", async () => {
    const cache = open();
    const name = fresh("tenant");
    const tenant = cache.namespace(name);
    const orders = tenant.namespace("orders");
    await tenant.setMany({ a: 1, b: 2 });
    await orders.set("7", "seven", { tags: ["seven"] });
    expect(await tenant.getMany(["a", "b"])).toEqual([1, 2]);
    expect([await tenant.exists("a"), await tenant.ttl("a"), await tenant.expire("a", 60)]).toEqual([true, 300, true]);
    const { commands } = await billed(() => tenant.clear());
    expect(commands).toEqual({ del: 1 });
    const other = open().namespace(name);
    expect([await other.get("a"), await other.exists("b"), await other.ttl("b"), await other.expire("b", 60)]).toEqual([
      undefined,
      false,
      -2,
      false,
    ]);
    expect(await other.namespace("orders").get("7")).toBeUndefined();
    for await (const key of tenant.keys()) expect(key).toBe("none: the namespace is cleared");
    await tenant.set("a", 3);
    const listed: string[] = [];
    for await (const key of tenant.keys()) listed.push(key);
    expect(listed).toEqual(["a"]);
  });

  it("tells the observer of a namespace what it writes", async () => {
    const told: string[] = [];
    const observer = async (commands: readonly (readonly unknown[])[]) => {
      for (const [name] of commands) told.push(String(name));
    };
    const tenant = open().namespace(fresh("tenant")).observed(observer);
    await tenant.set("k", 1);
    await tenant.expire("k", "1m");
    expect(told).toEqual(["SET", "PEXPIRE"]);
  });

  it("takes no value for one of a namespace that was stored past it", async () => {
    const cache = open();
    const name = fresh("tenant");
    await cache.set(`${name}::k`, "plain");
    expect(await cache.namespace(name).get("k")).toBeUndefined();
    await cache.namespace(`${name}/a`).set("k", 1);
    expect(await cache.namespace(name).namespace("a").get("k")).toBeUndefined();
  });

  it("rejects in a namespace what `clear` could not reach, and says what to do", async () => {
    const tenant = open().namespace(fresh("tenant"));
    await expect(tenant.increment("n")).rejects.toThrow(/Use a cache with a `keyPrefix`/);
    await expect(tenant.lpush("l", 1)).rejects.toThrow(/Use a cache with a `keyPrefix`/);
    await expect(tenant.set("k", 1, { nx: true })).rejects.toThrow(/can't be set with `nx`/);
  });

  it("lists keys in pages, without the prefix, and none of its own", async () => {
    const cache = open({ keyPrefix: `${fresh("list")}:` });
    const names = Array.from({ length: 2_500 }, (_, at) => `order:${at}`);
    await cache.setMany(names.map((name): [string, number] => [name, 1]));
    await cache.set("other", 1, { tags: ["t"] });
    const listed: string[] = [];
    for await (const key of cache.keys("order:*")) listed.push(key);
    expect(listed.sort()).toEqual([...names].sort());
    const some: string[] = [];
    for await (const key of cache.keys("*", { max: 10 })) some.push(key);
    expect(some).toHaveLength(10);
    const own: string[] = [];
    for await (const key of open().keys("continuum-cache:*")) own.push(key);
    expect(own).toEqual([]);
  });
});
