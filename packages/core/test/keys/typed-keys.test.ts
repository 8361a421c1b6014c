import { Cache, type Key, keyPattern, type StandardSchema } from "@continuum-cache/core";
import { describe, expect, expectTypeOf, it } from "vitest";
import { recordingTransport } from "../recording-transport.ts";

interface Order {
  readonly id: string;
  readonly total: number;
}

/** A schema that takes its time, as some do. */
const orderSchema: StandardSchema<unknown, Order> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: async (value) => {
      const { id, total } = (value ?? {}) as Partial<Order>;
      if (typeof id === "string" && typeof total === "number") return { value: { id, total } };
      return { issues: [{ message: `secret ${JSON.stringify(value)}`, path: ["total"] }] };
    },
  },
};
const order = keyPattern("typed:{region}:{id}", { ttl: "10m", schema: orderSchema });
const plain = keyPattern("untyped:{id}");

/** A cache over a map. */
function open() {
  const stored = new Map<string, string>();
  const transport = recordingTransport(([name, ...args]) => {
    if (name === "MGET") return args.map((key) => stored.get(String(key)) ?? null);
    if (name === "SET") stored.set(String(args[0]), String(args[1]));
    return "OK";
  });
  return { cache: new Cache({ transport }), stored, transport };
}

describe("a key of a pattern with a schema", () => {
  it("gives the values their type, and stays a string", async () => {
    const { cache } = open();
    const key = order({ region: "eu", id: 7 });
    expectTypeOf(key).toEqualTypeOf<Key<Order>>();
    expectTypeOf(key).toExtend<string>();
    expectTypeOf(plain({ id: 1 })).toEqualTypeOf<string>();
    await cache.set(key, { id: "7", total: 5 });
    const found = await cache.get(key);
    expectTypeOf(found).toEqualTypeOf<Order | undefined>();
    expect(found).toEqual({ id: "7", total: 5 });
    expectTypeOf(await cache.getMany([key, key])).toEqualTypeOf<(Order | undefined)[]>();
    expectTypeOf(await cache.get("plain")).toEqualTypeOf<unknown>();
    expectTypeOf(await cache.get<number>("plain")).toEqualTypeOf<number | undefined>();
    expectTypeOf(await cache.getMany<number>(["plain"])).toEqualTypeOf<(number | undefined)[]>();
    const loaded = await cache.getOrSet(key, () => ({ id: "7", total: 5, more: true }));
    expectTypeOf(loaded).toEqualTypeOf<Order>();
    expectTypeOf(await cache.getOrSet<number>("plain", () => 1)).toEqualTypeOf<number>();
    expectTypeOf(await cache.getOrSet("plain", async () => "text")).toEqualTypeOf<string>();
    // @ts-expect-error the loader brings another type than the schema says
    const brings = () => cache.getOrSet(key, () => "seven");
    expect(typeof brings).toBe("function");
    // @ts-expect-error the value has another type than the schema says
    await cache.set(key, "seven");
  });

  it("turns a stored value that does not fit into a miss, and tells where, but not what it was", async () => {
    const { cache, stored } = open();
    const key = order({ region: "eu", id: 8 });
    const errors: string[] = [];
    cache.on("error", ({ operation, key: at, error }) => errors.push(`${operation} ${at} ${error.message}`));
    stored.set(key, JSON.stringify({ id: "8", total: "hidden" }));
    expect(await cache.get(key)).toBeUndefined();
    expect(await cache.getMany([key, "none"])).toEqual([undefined, undefined]);
    const why = `${key} The stored value does not fit its test schema at "total"`;
    expect(errors).toEqual([`get ${why}`, `getMany ${why}`]);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 3 });
  });

  it("holds for a string spelled by hand only where the cache is given the pattern", async () => {
    const { transport, stored } = open();
    stored.set("typed:us:1", JSON.stringify({ id: "1", total: 1, more: true }));
    const cache = new Cache({ transport, patterns: [order] });
    expect(await cache.get("typed:us:1")).toEqual({ id: "1", total: 1 });
    expect(await new Cache({ transport }).get("typed:us:1")).toEqual({ id: "1", total: 1, more: true });
  });

  it("lets a schema that throws count as one that does not fit", async () => {
    const broken = keyPattern("broken:{id}", {
      schema: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate() {
            throw new Error("out of order");
          },
        },
      },
    });
    const { cache, stored } = open();
    const errors: string[] = [];
    cache.on("error", ({ error }) => errors.push(error.message));
    stored.set("broken:1", "1");
    expect(await cache.get(broken({ id: 1 }))).toBeUndefined();
    expect(errors).toEqual(["The test schema threw while it checked the value: see `cause`"]);
  });

  it("rejects what is no schema, and tags that are no function", () => {
    // @ts-expect-error no schema
    expect(() => keyPattern("a:{id}", { schema: { parse() {} } })).toThrow(/Expected `schema` to be a Standard Schema/);
    // @ts-expect-error no function
    expect(() => keyPattern("a:{id}", { tags: ["t"] })).toThrow(/Expected `tags` to be a function/);
  });

  it("is read within the call's time where the schema gives no answer: a miss, with an event", async () => {
    const { cache } = open();
    const silent: StandardSchema = {
      "~standard": { version: 1, vendor: "test", validate: () => new Promise(() => {}) },
    };
    const unanswered = keyPattern("unanswered:{id}", { schema: silent });
    const errors: string[] = [];
    cache.on("error", ({ operation, error }) => errors.push(`${operation}: ${error.message}`));
    const key = unanswered({ id: 1 });
    await cache.set(key, 1);
    expect(await cache.get(key, { timeout: "50ms" })).toBeUndefined();
    expect(await cache.getMany([key], { timeout: "50ms" })).toEqual([undefined]);
    await expect(cache.getOrSet(key, () => 2, { timeout: "90ms" })).rejects.toThrow();
    expect(errors.slice(0, 2)).toEqual([
      expect.stringMatching(/^get: The test schema gave no answer within \d+ ms$/),
      expect.stringMatching(/^getMany: The test schema gave no answer within \d+ ms$/),
    ]);
  });
});
