import { Cache, keyPattern, keys } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { createMadeKeys } from "../../src/keys/made-keys.ts";
import { recordingTransport } from "../recording-transport.ts";

/** The time to live that each SET asks for, in seconds; undefined for none. */
async function ttlOf(set: (cache: Cache) => Promise<unknown>, options: object = {}): Promise<unknown> {
  const transport = recordingTransport(([name, ...args]) => (name === "MGET" ? args.map(() => null) : "OK"));
  await set(new Cache({ transport, defaultTtl: "1d", ...options }));
  const command = transport.trips.flat().find(([name]) => name === "SET");
  return command?.[command.indexOf("EX") + 1];
}

describe("the time to live of a key", () => {
  it("that a pattern has made is the pattern's, in every cache and every kind of write", async () => {
    const order = keyPattern("order:{id}", { ttl: "10m" });
    const key = order({ id: 7 });
    expect(await ttlOf((cache) => cache.set(key, 1))).toBe(600);
    expect(await ttlOf((cache) => cache.setMany({ [key]: 1 }))).toBe(600);
    expect(await ttlOf((cache) => cache.getOrSet(key, () => 1))).toBe(600);
    expect(await ttlOf((cache) => cache.pipeline().set(key, 1).execute())).toBe(600);
    expect(await ttlOf((cache) => cache.set(key, 1, { keepTtl: true, nx: true }))).toBe(600);
    expect(await ttlOf((cache) => cache.set(key, 1), { keyPrefix: "shop:" })).toBe(600);
    expect(await ttlOf((cache) => cache.set(key, 1, { ttl: 5 }))).toBe(5);
    expect(await ttlOf((cache) => cache.set(keys.session({ userId: "made" }), 1))).toBe(3_600);
  });

  it.each(["order:8", "session:1", "memory:rss", "query:users", "fed:queue:x", "product:1"])(
    "that was spelled by hand is the cache's, whatever it looks like: %s",
    async (key) => {
      keyPattern("order:{id}", { ttl: "10m" });
      expect(await ttlOf((cache) => cache.set(key, 1))).toBe(86_400);
    },
  );

  it("is a family's for strings spelled by hand too where the cache was told so", async () => {
    expect(await ttlOf((cache) => cache.set("session:1", 1), { patterns: Object.values(keys) })).toBe(3_600);
  });

  it("is the default when the pattern has none, also where another pattern has made the same key before", async () => {
    const timed = keyPattern("twice:{id}", { ttl: "10m" });
    const untimed = keyPattern("twice:{id}");
    expect(timed({ id: 1 })).toBe(untimed({ id: 1 }));
    expect(await ttlOf((cache) => cache.set("twice:1", 1))).toBe(86_400);
    expect(await ttlOf((cache) => cache.set(timed({ id: 1 }), 1))).toBe(600);
  });
});

describe("the memory of made keys", () => {
  const family = (prefix: string, ttlMs = 1) => ({
    ttlMs,
    parse: (key: string) => (key.startsWith(prefix) ? {} : undefined),
  });

  it("forgets the oldest keys, but never to which family a key belongs that was made", () => {
    const made = createMadeKeys(20 * 67, 10);
    const [order, user] = [family("order:"), family("user:")];
    made.add("user:1", user);
    for (let id = 0; id < 8; id++) made.add(`order:${id}`, order);
    expect(made.familyOf("user:1")).toBe(user);
    expect(made.familyOf("user:2")).toBeUndefined();
    for (let id = 8; id < 1_000; id++) made.add(`order:${id}`, order);
    for (const id of [0, 500, 999]) expect(made.familyOf(`order:${id}`)).toBe(order);
    expect(made.familyOf("user:1")).toBe(user);
    expect(made.familyOf("product:1")).toBeUndefined();
  });

  it("takes bounded memory however long the keys are", () => {
    const made = createMadeKeys(1 << 20, 10);
    const order = family("order:");
    for (let id = 0; id < 1_000; id++) made.add(`order:${id}:${"x".repeat(30_000)}`, order);
    made.add("user:1", family("user:"));
    expect(made.familyOf(`order:1:${"x".repeat(30_000)}`)).toBe(order);
  });

  it("keeps what is made again and again", () => {
    const made = createMadeKeys(20 * 67, 10);
    const [order, user] = [family("order:"), family("user:")];
    for (let id = 0; id < 1_000; id++) {
      made.add("user:1", user);
      made.add(`order:${id}`, order);
    }
    expect(made.familyOf("user:1")).toBe(user);
    expect(made.familyOf("user:2")).toBeUndefined();
  });

  it("is bounded in families too, as of a program that declares a pattern for each request", () => {
    const made = createMadeKeys(20 * 67, 2);
    const families = Array.from({ length: 100 }, (_, index) => family(`f${index}:`));
    for (const [index, each] of families.entries()) made.add(`f${index}:1`, each);
    const remembered = families.filter((_, index) => made.familyOf(`f${index}:1`));
    expect(remembered.length).toBeLessThanOrEqual(20 + 2);
    expect(made.familyOf("f99:1")).toBe(families[99]);
  });
});
