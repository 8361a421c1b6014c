import { keyPattern, type StandardSchema } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { bothProtocols, openedCaches } from "./both-protocols.ts";

const { redis, ways } = bothProtocols();
const tenTags = Array.from({ length: 10 }, (_, at) => `load-tag:${at}`);

/** A loader that waits until the test lets it go on. */
function gated<Value>(value: Value) {
  let begun = (): void => {};
  let go = (): void => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const mayEnd = new Promise<void>((resolve) => {
    go = resolve;
  });
  const load = async (): Promise<Value> => {
    begun();
    await mayEnd;
    return value;
  };
  return { load, hasBegun, go: () => go() };
}

describe.each(ways)("loads of values with tags over %s", (protocol, make) => {
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

  it("reads ten tags by the command that reads the value, and stores by one more", async () => {
    const cache = open();
    await cache.getOrSet(fresh("warm"), () => 0, { tags: tenTags });
    const key = fresh("ten");
    const get = () => cache.getOrSet(key, () => 1, { tags: tenTags });
    expect(await billed(get)).toEqual({ commands: { mget: 1, set: 1 }, result: 1 });
    expect(await billed(get)).toEqual({ commands: { mget: 1 }, result: 1 });
    const other = open();
    await other.ping();
    expect(await billed(() => other.getOrSet(key, () => 2, { tags: tenTags }))).toEqual({
      commands: { mget: 1 },
      result: 1,
    });
  });

  it("returns, but never serves, a value whose load began before an invalidation by another process", async () => {
    const [one, other] = [open(), open()];
    for (const tags of [["race"], () => ["race"]]) {
      const key = fresh("race");
      const { load, hasBegun, go } = gated("old");
      const loading = one.getOrSet(key, load, { tags });
      await hasBegun;
      await other.invalidateTags("race");
      go();
      expect(await loading).toBe("old");
      expect([await one.get(key), await other.get(key)]).toEqual([undefined, undefined]);
      expect(await one.getOrSet(key, () => "new", { tags })).toBe("new");
      expect(await other.get(key)).toBe("new");
    }
  });

  it("gives a caller that joins a load after an invalidation a value that was loaded anew", async () => {
    const [one, other] = [open(), open()];
    const key = fresh("join");
    const { load, hasBegun, go } = gated("old");
    const options = { tags: [key] };
    const first = one.getOrSet(key, load, options);
    const early = one.getOrSet(key, () => "unused", options);
    await hasBegun;
    await other.invalidateTags(key);
    const late = [1, 2, 3].map(() => one.getOrSet(key, () => "new", options));
    go();
    expect(await first).toBe("old");
    expect(["old", "new"]).toContain(await early);
    expect(await Promise.all(late)).toEqual(["new", "new", "new"]);
    expect(await other.get(key)).toBe("new");
  });

  it("shares a load among all who wait for it while nothing is invalidated", async () => {
    const cache = open();
    const key = fresh("shared");
    const { load, hasBegun, go } = gated("value");
    const options = { tags: [key] };
    const waiting = [cache.getOrSet(key, load, options)];
    await hasBegun;
    for (let i = 0; i < 20; i++) waiting.push(cache.getOrSet(key, () => "another", options));
    go();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["value"]));
    expect(cache.stats().loads).toBe(1);
  });

  it("stores tags that the value tells, unless an invalidation during the load may concern them", async () => {
    const cache = open();
    const key = fresh("late");
    const tagsOf = (owner: string) => [`owner:${owner}`];
    const load = (name: string) => () => name;
    expect(await cache.getOrSet(key, load("ada"), { tags: tagsOf })).toBe("ada");
    expect(await cache.get(key)).toBe("ada");
    await cache.invalidateTags("owner:ada");
    expect(await cache.get(key)).toBeUndefined();
    const unknown = fresh("late");
    const { load: slow, hasBegun, go } = gated(fresh("someone"));
    const loading = cache.getOrSet(unknown, slow, { tags: tagsOf });
    await hasBegun;
    await cache.invalidateTags("owner:else");
    go();
    await loading;
    expect(await cache.get(unknown)).toBeUndefined();
    // Its marker was read before this load began, and is still the same.
    await cache.getOrSet(fresh("known"), load("bob"), { tags: tagsOf });
    const known = fresh("known");
    const { load: again, hasBegun: hasBegunAgain, go: goAgain } = gated("bob");
    const knownLoad = cache.getOrSet(known, again, { tags: tagsOf });
    await hasBegunAgain;
    await cache.invalidateTags("owner:else");
    goAgain();
    await knownLoad;
    expect(await cache.get(known)).toBe("bob");
  });

  it("serves a value with an expired tag only where the options allow a stale one", async () => {
    const [one, other] = [open(), open()];
    const key = fresh("soft");
    let loads = 0;
    const load = () => ++loads;
    const options = { tags: [key], staleWhileRevalidate: "1h" } as const;
    expect(await one.getOrSet(key, load, options)).toBe(1);
    expect((await billed(() => other.expireTags(key))).commands).toEqual({ del: 1 });
    expect([await one.get(key), await other.get(key)]).toEqual([undefined, undefined]);
    expect(await one.getOrSet(key, load, options)).toBe(1);
    await expect.poll(() => other.get(key)).toBe(2);
    await other.expireTags(key);
    const failing = () => Promise.reject(new Error("the database is away"));
    expect(await one.getOrSet(key, failing, { tags: [key], staleIfError: "1h" })).toBe(2);
    expect(await one.getOrSet(key, load, { tags: [key] })).toBe(3);
    await other.invalidateTags(key);
    await expect(one.getOrSet(key, failing, { tags: [key], staleIfError: "1h" })).rejects.toThrow("away");
  });

  it("applies the tags and the schema of a pattern in every call that loads", async () => {
    const schema: StandardSchema<unknown, number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
      },
    };
    const name = fresh("pattern");
    const count = keyPattern(`${name}:{id}`, { schema, tags: ({ id }) => [`count:${id}`, name] });
    const cache = open();
    expect(await cache.getOrSet(count({ id: 1 }), () => 1)).toBe(1);
    const loadAll = (missing: string[]) => new Map(missing.map((key) => [key, 2]));
    const keys = [count({ id: 1 }), count({ id: 2 }), count({ id: 3 })];
    const many = await billed(() => cache.getOrSetMany(keys, loadAll));
    expect(many.result).toEqual([1, 2, 2]);
    const { commands } = await billed(() => cache.getOrSetMany(keys, loadAll));
    expect(commands).toEqual({ mget: 1 });
    await cache.invalidateTags("count:2");
    expect(await cache.getMany(keys)).toEqual([1, undefined, 2]);
    await open().invalidateTags(name);
    expect(await cache.getOrSetMany(keys, (missing) => new Map(missing.map((key) => [key, 3])))).toEqual([3, 3, 3]);
    await cache.transport.send([["SET", count({ id: 9 }), '"text"']]);
    expect(await cache.getOrSet(count({ id: 9 }), () => 9)).toBe(9);
  });

  it("loads for a namespace what was cleared, and shares nothing with the cache itself", async () => {
    const cache = open();
    const name = fresh("tenant");
    const tenant = cache.namespace(name);
    let loads = 0;
    const load = () => ++loads;
    expect(await Promise.all([tenant.getOrSet("k", load), tenant.getOrSet("k", load)])).toEqual([1, 1]);
    await open().namespace(name).clear();
    expect(await tenant.getOrSet("k", load)).toBe(2);
    expect(await cache.getOrSet("k", load, { tags: [name] })).toBe(3);
    expect((await billed(() => tenant.getOrSet("k", load))).commands).toEqual({ mget: 1 });
  });

  it("loads, and stores nothing, while the markers can't be read", async () => {
    const cache = open();
    const key = fresh("blocked");
    const errors: string[] = [];
    cache.on("error", ({ operation }) => errors.push(operation));
    await cache.transport.send([["LPUSH", `continuum-cache:tag:${key}`, "no marker"]]);
    expect(await cache.getOrSet(key, () => 1, { tags: [key] })).toBe(1);
    expect(await cache.get(key)).toBeUndefined();
    await cache.invalidateTags(key);
    expect(await cache.getOrSet(key, () => 2, { tags: [key] })).toBe(2);
    expect(await cache.get(key)).toBe(2);
  });
});
