import { Cache } from "@continuum-cache/core";
import { describe, expect, it, vi } from "vitest";
import { expiringStore } from "../../expiring-store.ts";
import { recordingTransport } from "../../recording-transport.ts";

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const setUp = () => {
  const { transport, held, commands } = expiringStore();
  return { cache: new Cache({ transport }), transport, held, commands };
};

describe("getOrSetMany", () => {
  it("reads once, loads what is missing by one call, and stores it in one round trip", async () => {
    const { cache, transport } = setUp();
    await cache.set("b", "stored");
    const before = transport.trips.length;
    const loader = vi.fn(async (missing: string[]) => new Map(missing.map((key) => [key, `${key} loaded`])));
    expect(await cache.getOrSetMany(["a", "b", "c", "a"], loader, { ttl: "1m" })).toEqual([
      "a loaded",
      "stored",
      "c loaded",
      "a loaded",
    ]);
    expect(loader.mock.calls.map(([missing]) => missing)).toEqual([["a", "c"]]);
    const trips = transport.trips.slice(before).map((trip) => trip.map(([name, key, value]) => [name, key, value]));
    expect(trips).toEqual([
      [["MGET", "a", "b"]],
      [
        ["SET", "a", '"a loaded"'],
        ["SET", "c", '"c loaded"'],
      ],
    ]);
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 2, loads: 1 });
  });

  it("takes a record too, and gives undefined where the loader brings nothing", async () => {
    const { cache, held } = setUp();
    expect(await cache.getOrSetMany(["a", "toString"], () => ({ a: { n: 1 } }))).toEqual([{ n: 1 }, undefined]);
    expect([...held.keys()]).toEqual(["a"]);
    expect(await cache.getOrSetMany([], () => ({}))).toEqual([]);
  });

  it("names the kind of what a loader brings in place of a record, and not the value", async () => {
    const { cache } = setUp();
    for (const [brought, kind] of [
      ["secret", "a text"],
      [4_711, "a number"],
      [["secret"], "an array"],
      [null, "null"],
    ] as [never, string][]) {
      const message = `to bring a Map or a record of values by their keys, got ${kind}`;
      const failed = await cache.getOrSetMany(["a"], () => brought).catch((error: Error) => error.message);
      expect(failed).toBe(`Expected the loader of getOrSetMany ${message}`);
    }
  });

  it("refuses null in the place of options, as getOrSet does, also where the view has options", async () => {
    const { cache } = setUp();
    for (const view of [cache, cache.with({ timeout: "1s" })]) {
      await expect(view.getOrSetMany(["a"], () => ({}), null as never)).rejects.toThrow(/as an object .* got null/);
      await expect(view.getOrSet("a", () => 1, null as never)).rejects.toThrow(/as an object .* got null/);
      expect(() => view.wrap(() => 1, null as never)).toThrow("Expected `key` to be a function, got undefined");
    }
  });

  it("gives each place of a key that is named twice an object of its own", async () => {
    const { cache } = setUp();
    for (const _ of ["loaded", "stored"]) {
      const [one, two] = await cache.getOrSetMany(["a", "a"], () => ({ a: { n: 1 } }));
      expect(one).toEqual(two);
      expect(one).not.toBe(two);
    }
  });

  it("leaves keys to the loads of this process that bring them already, and others join its own", async () => {
    const { cache } = setUp();
    const single = vi.fn(async () => {
      await later(20);
      return "single";
    });
    const many = vi.fn(async (missing: string[]) => {
      await later(30);
      return Object.fromEntries(missing.map((key) => [key, `many ${key}`]));
    });
    const one = cache.getOrSet("a", single);
    await later(5);
    const two = cache.getOrSetMany(["a", "b"], many);
    await later(5);
    const three = cache.getOrSetMany(["b", "c"], many);
    const four = cache.getOrSet("b", single);
    expect(await Promise.all([one, two, three, four])).toEqual([
      "single",
      ["single", "many b"],
      ["many b", "many c"],
      "many b",
    ]);
    expect(single).toHaveBeenCalledTimes(1);
    expect(many.mock.calls.map(([missing]) => missing)).toEqual([["b"], ["c"]]);
  });

  it("does not store a value whose key is deleted while it loads", async () => {
    const { cache, held } = setUp();
    const call = cache.getOrSetMany(["a", "b"], async () => {
      await cache.delete("a");
      return { a: 1, b: 2 };
    });
    expect(await call).toEqual([1, 2]);
    expect([...held.keys()]).toEqual(["b"]);
  });

  it("rejects with the loader's error, in every call that waits for it, and stores nothing", async () => {
    const { cache, held } = setUp();
    const failing = vi.fn(async () => {
      await later(20);
      throw new Error("no database");
    });
    const calls = [cache.getOrSetMany(["a", "b"], failing)];
    await later(5);
    calls.push(cache.getOrSetMany(["b", "a"], failing));
    for (const outcome of await Promise.allSettled(calls)) {
      expect(String((outcome as PromiseRejectedResult).reason)).toBe("Error: no database");
    }
    expect(failing).toHaveBeenCalledTimes(1);
    expect(held.size).toBe(0);
  });

  it("serves stale values at once and loads them anew by one call; a failure is one event", async () => {
    const { cache } = setUp();
    const options = { ttl: "20ms", staleWhileRevalidate: "1h" } as const;
    const errors = vi.fn();
    cache.on("error", errors);
    await cache.getOrSetMany(["a", "b"], () => ({ a: 1, b: 1 }), options);
    await later(30);
    const failing = vi.fn(() => Promise.reject(new Error("no database")));
    expect(await cache.getOrSetMany(["a", "b"], failing, options)).toEqual([1, 1]);
    await expect.poll(() => errors.mock.calls.length).toBe(1);
    expect(errors.mock.calls[0]?.[0]).toMatchObject({ operation: "getOrSetMany", error: { message: "no database" } });
    const loader = vi.fn(() => ({ a: 2, b: 2, c: 2 }));
    expect(await cache.getOrSetMany(["a", "b", "c"], loader, { ...options, ttl: "1h" })).toEqual([1, 1, 2]);
    expect(loader.mock.calls).toHaveLength(2);
    await expect.poll(() => cache.getMany(["a", "b", "c"])).toEqual([2, 2, 2]);
  });

  it("uses stale values where the loader fails and staleIfError allows them", async () => {
    const { cache } = setUp();
    const options = { ttl: "20ms", staleIfError: "1h" } as const;
    await cache.getOrSetMany(["a"], () => ({ a: 1 }), options);
    await later(30);
    const failing = () => Promise.reject(new Error("no database"));
    expect(await cache.getOrSetMany(["a"], failing, options)).toEqual([1]);
    await expect(cache.getOrSetMany(["a", "b"], failing, options)).rejects.toThrow("no database");
  });

  it("finds a loader that waits for itself", async () => {
    const { cache } = setUp();
    const call = cache.getOrSetMany(["a", "b"], async () => {
      await later(1);
      return { a: await cache.getOrSet("b", () => 1), b: 1 };
    });
    await expect(call).rejects.toThrow(/waits for itself/);
  });

  it("rejects what is no list of keys, no loader, and no Map or record", async () => {
    const { cache, commands } = setUp();
    await expect(cache.getOrSetMany("a" as never, () => ({}))).rejects.toThrow(/Expected a list of keys/);
    await expect(cache.getOrSetMany(["a"], {} as never)).rejects.toThrow(/Expected a loader/);
    await expect(cache.getOrSetMany(["a", ""], () => ({}))).rejects.toThrow(TypeError);
    await expect(cache.getOrSetMany(["a"], () => ({}), { tll: 1 } as object)).rejects.toThrow(
      /getOrSetMany has no opt/,
    );
    expect(commands()).toEqual([]);
    await expect(cache.getOrSetMany(["a"], () => ["x"] as never)).rejects.toThrow(/Map or a record .* got an array/);
  });

  it("loads all when the cache is away, with an event", async () => {
    const cache = new Cache({ transport: recordingTransport(() => Promise.reject(new Error("down"))) });
    const errors = vi.fn();
    cache.on("error", errors);
    expect(await cache.getOrSetMany(["a", "b"], () => ({ a: 1, b: 2 }))).toEqual([1, 2]);
    expect(errors).toHaveBeenCalled();
  });
});

describe("wrap", () => {
  it("keeps the results of a function by its arguments, typed", async () => {
    const { cache, held } = setUp();
    const load = vi.fn(async (id: number, locale: string) => ({ id, locale }));
    const loadOrder = cache.wrap(load, { key: (id, locale) => `order:${id}:${locale}`, ttl: ({ id }) => id });
    const order: { id: number; locale: string } = await loadOrder(7, "en");
    expect(order).toEqual({ id: 7, locale: "en" });
    expect(await loadOrder(7, "en")).toEqual(order);
    expect(load).toHaveBeenCalledTimes(1);
    expect([...held.keys()]).toEqual(["order:7:en"]);
    expect(await loadOrder.invalidate(7, "en")).toBe(true);
    expect(await loadOrder.invalidate(7, "en")).toBe(false);
    await loadOrder(7, "en");
    expect(load).toHaveBeenCalledTimes(2);
    // @ts-expect-error The wrapped function takes the arguments of the function.
    await loadOrder("7").catch(() => {});
  });

  it("rejects where the key of a call can't be made", async () => {
    const key = (): string => {
      throw new Error("no such id");
    };
    await expect(setUp().cache.wrap(() => 1, { key })()).rejects.toThrow("no such id");
  });

  it("rejects at once what can't be wrapped, and options that do not exist when it is called", async () => {
    const { cache } = setUp();
    expect(() => cache.wrap({} as never, { key: () => "k" })).toThrow(/Expected `fn` to be a function, got an object/);
    expect(() => cache.wrap(() => 1, {} as never)).toThrow(/Expected `key` to be a function, got undefined/);
    await expect(cache.wrap(() => 1, { key: () => "k", tll: 1 } as never)()).rejects.toThrow(/no option "tll"/);
  });
});
