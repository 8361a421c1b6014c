import { describe, expect, it } from "vitest";
import { closing, waitFor } from "../log/logs.ts";
import { regionsOf, ways } from "../relay/regions.ts";
import { type InstanceOptions, instanceOn } from "./caches.ts";

// Two regions with a database each, relays both ways, and instances in both.

const opened = closing();

const keysOf = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `memory:${from + at}`);
const filled = (keys: readonly string[]): Record<string, number> => Object.fromEntries(keys.map((key) => [key, 1]));

/** Until the servers' clocks, which are this machine's, show another time. */
const nextMoment = async (): Promise<void> => {
  const startMs = Date.now();
  await waitFor(() => expect(Date.now()).toBeGreaterThan(startMs));
};

describe.each(ways)("over the %s", (way) => {
  async function world(options: InstanceOptions = {}) {
    const regions = await regionsOf(way, opened);
    const { east, west, carry, key } = regions;
    for (let round = 0; round < 2; round++) {
      carry(east, west);
      carry(west, east);
    }
    const [a, b] = ["a", "b"].map((name) => instanceOn(opened, east.connect(), name, key, options));
    const c = instanceOn(opened, west.connect(), "c", key, options);
    return { ...regions, instances: [a, b, c] as [typeof c, typeof c, typeof c] };
  }

  it("a delete in one region is a delete in the other, and each event is there once on each side", async () => {
    const { east, west, instances } = await world();
    const [a, b, c] = instances;
    const keys = keysOf(1, 60);
    await Promise.all([a, c].map(({ cache }) => cache.setMany(filled(keys))));
    await Promise.all([
      ...keys.slice(0, 20).map((key) => a.shared.delete(key)),
      ...keys.slice(20, 40).map((key) => b.shared.delete(key)),
      ...keys.slice(40, 60).map((key) => c.shared.delete(key)),
    ]);
    await waitFor(async () => {
      for (const { cache } of [a, c])
        expect((await cache.getMany(keys)).every((value) => value === undefined)).toBe(true);
      for (const { emitted } of instances) expect(emitted.applied.length).toBe(40);
    });
    for (const region of [east, west]) {
      expect(await Promise.all(["a", "b", "c"].map(region.length))).toEqual([20, 20, 20]);
    }
  });

  it("both regions converge after a partition, and each event is there once", async () => {
    const { east, west, instances } = await world();
    const [a, b, c] = instances;
    const keys = keysOf(1, 300);
    await Promise.all([a, c].map(({ cache }) => cache.setMany(filled(keys))));
    // Only connections between regions go through the proxies.
    for (const { proxy } of [east, west]) {
      proxy.set({ kind: "refuse" });
      proxy.cut();
    }
    for (const key of keys.slice(0, 80)) await a.shared.delete(key);
    for (const key of keys.slice(80, 160)) await c.shared.delete(key);
    await b.shared.deletePattern("memory:2??");
    expect(await c.cache.get("memory:1")).toBe(1);
    for (const { proxy } of [east, west]) {
      proxy.set({ kind: "pass" });
      proxy.cut();
    }
    const rest = keys.filter((key) => !/^memory:2..$/.test(key)).slice(160);
    await waitFor(async () => {
      for (const { cache } of [a, c]) {
        const left = (await cache.getMany(keys)).flatMap((value, at) => (value === undefined ? [] : [keys[at]]));
        expect(left).toEqual(rest);
      }
      expect(instances.map(({ emitted }) => emitted.applied.length)).toEqual([81, 160, 81]);
    });
    for (const region of [east, west]) {
      expect(await Promise.all(["a", "b", "c"].map(region.length))).toEqual([80, 1, 80]);
    }
    for (const { emitted } of instances) expect([emitted.gap, emitted.deferred]).toEqual([[], []]);
  });

  it("the later of two writes of the same key wins in both regions after a partition", async () => {
    const { east, west, instances } = await world({ values: true });
    const [a, b, c] = instances;
    for (const { proxy } of [east, west]) {
      proxy.set({ kind: "refuse" });
      proxy.cut();
    }
    const keys = keysOf(1, 20);
    await Promise.all(keys.map((key) => a.shared.set(key, `east ${key}`)));
    await nextMoment();
    await Promise.all(keys.map((key) => c.shared.set(key, `west ${key}`)));
    await nextMoment();
    await Promise.all(keys.slice(0, 5).map((key) => b.shared.delete(key)));
    await Promise.all(keys.slice(5, 8).map((key) => b.shared.set(key, "last")));
    for (const { proxy } of [east, west]) {
      proxy.set({ kind: "pass" });
      proxy.cut();
    }
    const expected = keys.map((key, at) => (at < 5 ? undefined : at < 8 ? "last" : `west ${key}`));
    await waitFor(async () => {
      for (const { cache } of [a, c]) expect(await cache.getMany(keys)).toEqual(expected);
      expect(instances.map(({ emitted }) => emitted.applied.length)).toEqual([28, 40, 28]);
    });
    for (const { cache } of [a, c]) expect(await cache.getMany(keys)).toEqual(expected);
    for (const { emitted } of instances) expect(emitted.error).toEqual([]);
  });
});
