import { Cache } from "@continuum-cache/core";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { expiringStore } from "../../expiring-store.ts";

// The first use loads code.
beforeAll(() => new Cache({ transport: expiringStore().transport }).getOrSet("k", () => 1, { jitter: 0.1 }));
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: 1e12 }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A cache, a loader that counts its values, and what was told of failures. */
function setUp(roundTripMs = 0) {
  const store = expiringStore(roundTripMs);
  const cache = new Cache({ transport: store.transport });
  const failures: string[] = [];
  cache.on("error", ({ error }) => void failures.push(error.message));
  let loads = 0;
  let isFailing = false;
  const loader = vi.fn(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (isFailing) throw new Error("no database");
    return ++loads;
  });
  const fail = (failing: boolean): void => {
    isFailing = failing;
  };
  return { ...store, cache, failures, loader, fail };
}

/** Lets time pass until a call has settled. */
async function settle<T>(call: Promise<T>): Promise<T> {
  const caught = call.catch(() => {});
  let isSettled = false;
  void caught.then(() => {
    isSettled = true;
  });
  for (let turn = 0; turn < 200 && !isSettled; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(10);
  }
  return call;
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("staleWhileRevalidate", () => {
  const options = { ttl: "1m", staleWhileRevalidate: "30s" } as const;

  it("serves a stale value at once, and one load brings the next", async () => {
    const { cache, loader, transport } = setUp();
    expect(await settle(cache.getOrSet("k", loader, options))).toBe(1);
    expect(transport.trips.flat().at(-1)).toEqual(["SET", "k", `~1{"f":${Date.now() + 60_000},"l":50}\n1`, "EX", 90]);
    await pass(59_990);
    expect(await cache.getOrSet("k", loader, options)).toBe(1);
    await pass(20);
    const began = Date.now();
    expect(await Promise.all([1, 2, 3].map(() => cache.getOrSet("k", loader, options)))).toEqual([1, 1, 1]);
    expect(await cache.getOrSet("k", loader, options)).toBe(1);
    expect(Date.now()).toBe(began);
    await pass(60);
    expect(await cache.getOrSet("k", loader, options)).toBe(2);
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it("tells the loader the key and the stale value, which is no other caller's object", async () => {
    const { cache } = setUp();
    const seen: unknown[] = [];
    const loader = ({ key, stale }: { key: string; stale: unknown }) => {
      seen.push(key, stale);
      return { name: "Ada" };
    };
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    const served = await settle(cache.getOrSet("k", loader, options));
    served.name = "changed";
    expect(seen).toEqual(["k", undefined, "k", { name: "Ada" }]);
  });

  it("is a miss for a plain read, and for a caller whose window is over", async () => {
    const { cache, loader } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(75_000);
    expect(await cache.get("k")).toBeUndefined();
    const shorter = { ...options, staleWhileRevalidate: "10s" } as const;
    expect(await settle(cache.getOrSet("k", loader, shorter))).toBe(2);
    await pass(69_900);
    expect(await cache.getOrSet("k", loader, options)).toBe(2);
    await pass(91_000);
    expect(await settle(cache.getOrSet("k", loader, options))).toBe(4);
  });

  it("tells of a failed load by one event, and goes on serving", async () => {
    const { cache, loader, failures, fail } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    fail(true);
    for (let turn = 0; turn < 2; turn++) {
      expect(await Promise.all([1, 2].map(() => cache.getOrSet("k", loader, options)))).toEqual([1, 1]);
      await pass(100);
    }
    expect(failures).toEqual(["no database", "no database"]);
    await pass(30_000);
    await expect(settle(cache.getOrSet("k", loader, options))).rejects.toThrow("no database");
    expect(cache.stats().loads).toBe(4);
  });

  it.each([
    ["delete", (cache: Cache) => cache.delete("k")],
    ["set", (cache: Cache) => cache.set("k", "new")],
    ["deletePattern", (cache: Cache) => cache.deletePattern("k*").catch(() => {})],
  ])("does not store a value whose load began before a %s", async (name, write) => {
    const { cache, loader, held } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    expect(await cache.getOrSet("k", loader, options)).toBe(1);
    await write(cache);
    if (name === "deletePattern") held.delete("k");
    await pass(100);
    expect(await cache.get("k")).toBe(name === "set" ? "new" : undefined);
  });

  it("serves nothing old to a call that comes after a delete", async () => {
    const { cache, loader } = setUp(20);
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    const before = cache.getOrSet("k", loader, options);
    await Promise.resolve();
    const deleted = cache.delete("k");
    const after = cache.getOrSet("k", loader, options);
    expect(await settle(after)).toBeGreaterThan(1);
    expect([1, 2, 3]).toContain(await before);
    await deleted;
    await pass(200);
    expect(await settle(cache.getOrSet("k", loader, options))).toBeGreaterThan(1);
  });

  it("reads once for all callers that come while it reads", async () => {
    const { cache, loader, commands } = setUp(20);
    await settle(cache.getOrSet("k", loader, options));
    const before = commands().length;
    const calls = [cache.getOrSet("k", loader, options)];
    for (let turn = 0; turn < 5; turn++) {
      await pass(2);
      calls.push(cache.getOrSet("k", loader, options));
    }
    await pass(30);
    expect(await Promise.all(calls)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(commands().length - before).toBe(1);
  });
});

describe("staleIfError", () => {
  const options = { ttl: "1m", staleIfError: "1h" } as const;

  it("serves the last value to every caller when the loader fails, with one event", async () => {
    const { cache, loader, failures, fail } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    fail(true);
    const calls = [1, 2, 3].map(() => cache.getOrSet("k", loader, options));
    expect(await settle(Promise.all(calls))).toEqual([1, 1, 1]);
    expect(failures).toEqual(["no database"]);
    expect(loader).toHaveBeenCalledTimes(2);
    fail(false);
    expect(await settle(cache.getOrSet("k", loader, options))).toBe(2);
    await pass(3_700_000);
    fail(true);
    const late = [1, 2].map(() => cache.getOrSet("k", loader, options));
    const outcomes = await settle(Promise.allSettled(late));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(loader).toHaveBeenCalledTimes(4);
  });

  it("with softTimeout waits no longer than that, and the load goes on", async () => {
    const { cache, loader } = setUp();
    const soft = { ...options, softTimeout: "20ms" } as const;
    expect(await settle(cache.getOrSet("k", loader, soft))).toBe(1);
    await pass(60_010);
    const began = Date.now();
    const call = cache.getOrSet("k", loader, soft);
    await pass(21);
    expect(await call).toBe(1);
    expect(Date.now() - began).toBe(21);
    await pass(60);
    expect(await cache.getOrSet("k", loader, soft)).toBe(2);
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it("serves the last value before the call's own time is over", async () => {
    const { cache, loader } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    const call = cache.getOrSet("k", () => new Promise<number>(() => {}), { ...options, timeout: "1s" });
    await pass(1_000);
    expect(await call).toBe(1);
  });

  it("serves the last value when loaderTimeout is over, and fires the loader's signal", async () => {
    const { cache, loader, failures } = setUp();
    await settle(cache.getOrSet("k", loader, options));
    await pass(60_010);
    let signal: AbortSignal | undefined;
    const never = (context: { signal: AbortSignal }) => {
      signal = context.signal;
      return new Promise<number>(() => {});
    };
    const call = cache.getOrSet("k", never, { ...options, loaderTimeout: "2s" });
    await pass(2_000);
    expect(await call).toBe(1);
    expect(signal?.aborted).toBe(true);
    expect(failures).toEqual([expect.stringMatching(/longer than 2000 ms/)]);
  });
});

describe("what is stored", () => {
  it("is plain JSON where no option needs more", async () => {
    const { cache, transport } = setUp();
    await settle(cache.getOrSet("k", () => ({ a: 1 }), { ttl: (value) => value.a, jitter: 0, cacheIf: () => true }));
    expect(transport.trips.flat().at(-1)).toEqual(["SET", "k", '{"a":1}', "EX", 1]);
    await settle(cache.getOrSet("forever", () => 1, { ttl: Number.POSITIVE_INFINITY, staleWhileRevalidate: 5 }));
    expect(transport.trips.flat().at(-1)).toEqual(["SET", "forever", "1"]);
  });

  it("ends by chance a little earlier or later with jitter", async () => {
    const { cache, transport } = setUp();
    const random = vi.spyOn(Math, "random");
    for (const [drawn, ms] of [
      [0, 90_000],
      [0.5, 100_000],
      [0.999_999, 110_000],
    ] as const) {
      random.mockReturnValue(drawn);
      await settle(cache.getOrSet(`k${drawn}`, () => 1, { ttl: 100, jitter: 0.1 }));
      const [, , , unit, time] = transport.trips.flat().at(-1) ?? [];
      expect(Number(time) * (unit === "EX" ? 1_000 : 1)).toBe(ms);
    }
  });

  it("is nothing where cacheIf answers with a promise, which says nothing yet", async () => {
    const { cache, commands, loader } = setUp();
    const cacheIf = (async () => false) as unknown as () => boolean;
    const call = cache.getOrSet("k", loader, { cacheIf });
    await expect(settle(call)).rejects.toThrow(/`cacheIf` to return true or false at once/);
    expect(commands()).toEqual(["MGET"]);
  });

  it("is nothing where cacheIf says no, and every caller gets the value", async () => {
    const { cache, commands } = setUp();
    const calls = [1, 2].map(() => cache.getOrSet("k", () => ({ found: false }), { cacheIf: ({ found }) => found }));
    const [one, two] = await settle(Promise.all(calls));
    expect([one, two]).toEqual([{ found: false }, { found: false }]);
    expect(one).not.toBe(two);
    expect(commands()).toEqual(["MGET"]);
  });

  it.each([0, -1, "soon", undefined, Number.NaN])(
    "is nothing where ttl(value) returns %j: the call rejects with a ConfigError",
    async (wrong) => {
      const { cache, commands, loader } = setUp();
      const call = cache.getOrSet("k", loader, { ttl: () => wrong as number });
      await expect(settle(call)).rejects.toThrow(/Expected `ttl\(value\)` to be a positive number/);
      expect(commands()).toEqual(["MGET"]);
      // Neither does a value at hand hide it.
      const options = { ttl: "1m", staleIfError: "1h" } as const;
      await settle(cache.getOrSet("l", loader, options));
      await pass(60_010);
      const again = cache.getOrSet("l", loader, { ...options, ttl: () => wrong as number });
      await expect(settle(again)).rejects.toMatchObject({ name: "ConfigError" });
    },
  );
});

describe("refreshAhead", () => {
  it("loads anew before the end, by the drawn number and the time of the last load, and once", async () => {
    const { cache, loader } = setUp();
    const options = { ttl: "1m", refreshAhead: true } as const;
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    await settle(cache.getOrSet("k", loader, options));
    await pass(59_890);
    expect(await cache.getOrSet("k", loader, options)).toBe(1);
    expect(loader).toHaveBeenCalledTimes(1);
    // e^-2: as if it ended two load times earlier.
    random.mockReturnValue(1 - Math.exp(-2.5));
    expect(await Promise.all([1, 2].map(() => cache.getOrSet("k", loader, options)))).toEqual([1, 1]);
    await pass(60);
    expect(loader).toHaveBeenCalledTimes(2);
    random.mockReturnValue(0);
    expect(await cache.getOrSet("k", loader, options)).toBe(2);
  });
});

describe("the options", () => {
  it.each([
    [{ softTimeout: "1s" }, /`softTimeout` needs `staleIfError`/],
    [{ staleIfError: 0 }, /`staleIfError` to be a positive number/],
    [{ staleWhileRevalidate: "1 m" }, /`staleWhileRevalidate` to be a positive number .*got "1 m"/],
    [{ jitter: 1 }, /`jitter` to be a share from 0 to below 1, .*got 1/],
    [{ refreshAhead: { beta: 0 } }, /`beta` to be a positive number such as 1, got 0/],
    [{ refreshAhead: { bета: 1 } }, /refreshAhead has no option/],
    [{ cacheIf: true }, /`cacheIf` to be a function, got true/],
    [{ waitUntil: {} }, /`waitUntil` to be a function, got an object/],
    [{ schema: {} }, /`schema` to follow Standard Schema 1/],
    [{ ttl: 0, jitter: 0.1 }, /`ttl` to be a positive number/],
    [{ staleIfErrors: 1 }, /no option "staleIfErrors". Did you mean `staleIfError`/],
  ])("are checked before anything is sent: %j", async (options, message) => {
    const { cache, loader, commands } = setUp();
    await expect(settle(cache.getOrSet("k", loader, options as object))).rejects.toThrow(message);
    expect(loader).not.toHaveBeenCalled();
    expect(commands()).toEqual([]);
  });
});
