import type { Transport } from "@continuum-cache/core";
import { runs } from "@continuum-cache/test-scale";
import { memoryTransport } from "@continuum-cache/transport-memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

type Page = readonly [cursor: string, items: readonly string[]];

const send = async (memory: Transport, ...command: [string, ...(string | number)[]]) =>
  (await memory.send([command]))[0];

/** What happens between two pages: deletions, additions and overwritings, by key number. */
const changes = fc.array(fc.record({ what: fc.constantFrom("delete", "add", "overwrite"), key: fc.nat(400) }), {
  maxLength: 60,
});

const walk = {
  SCAN: {
    add: (memory: Transport, key: string) => send(memory, "SET", key, 1),
    remove: (memory: Transport, key: string) => send(memory, "DEL", key),
    page: (memory: Transport, cursor: string, count: number) => send(memory, "SCAN", cursor, "COUNT", count),
    keys: (items: readonly string[]) => items,
  },
  HSCAN: {
    add: (memory: Transport, key: string) => send(memory, "HSET", "h", key, 1),
    remove: (memory: Transport, key: string) => send(memory, "HDEL", "h", key),
    page: (memory: Transport, cursor: string, count: number) => send(memory, "HSCAN", "h", cursor, "COUNT", count),
    keys: (items: readonly string[]) => items.filter((_, index) => index % 2 === 0),
  },
};

describe.each(["SCAN", "HSCAN"] as const)("%s", (name) => {
  const { add, remove, page, keys } = walk[name];

  it("finds each key that exists from beginning to end once, while others come and go", async () => {
    const property = fc.asyncProperty(
      fc.array(changes, { maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 0, max: 400 }),
      async (changesByPage, count, size) => {
        const memory = memoryTransport();
        for (let key = 0; key < size; key++) await add(memory, `k${key}`);
        const steadfast = new Set(Array.from({ length: size }, (_, key) => `k${key}`));
        const found: string[] = [];
        let cursor = "0";
        let pages = 0;
        do {
          const [next, items] = (await page(memory, cursor, count)) as unknown as Page;
          found.push(...keys(items));
          cursor = next;
          for (const { what, key } of changesByPage[pages] ?? []) {
            if (what === "delete") {
              await remove(memory, `k${key}`);
              steadfast.delete(`k${key}`);
            } else {
              await add(memory, what === "add" ? `new${pages}:${key}` : `k${key}`);
            }
          }
          pages++;
          if (pages > 5_000) expect.fail("the walk does not end");
        } while (cursor !== "0");
        const counts = new Map<string, number>();
        for (const key of found) counts.set(key, (counts.get(key) ?? 0) + 1);
        for (const key of steadfast) if (!counts.has(key)) expect.fail(`${key} was not found`);
        if (name === "SCAN") for (const key of steadfast) expect(counts.get(key)).toBe(1);
      },
    );
    await fc.assert(property, runs(60));
  });

  it("answers about COUNT items a page", async () => {
    const memory = memoryTransport();
    for (let key = 0; key < 1_000; key++) await add(memory, `k${key}`);
    const [cursor, items] = (await page(memory, "0", 100)) as unknown as Page;
    expect(keys(items)).toHaveLength(100);
    expect(cursor).not.toBe("0");
  });

  it("looks at a bounded number of places, also after many deletions", async () => {
    const memory = memoryTransport();
    for (let key = 0; key < 3_000; key++) await add(memory, `k${key}`);
    for (let key = 1_600; key < 3_000; key++) await remove(memory, `k${key}`);
    const [cursor, items] = (await page(memory, "0", 10)) as unknown as Page;
    expect(items).toEqual([]);
    expect(cursor).not.toBe("0");
  });

  it("ends although something is added after each page", async () => {
    const memory = memoryTransport();
    for (let key = 0; key < 300; key++) await add(memory, `k${key}`);
    let cursor = "0";
    let pages = 0;
    do {
      [cursor] = (await page(memory, cursor, 10)) as unknown as Page;
      for (let key = 0; key < 20; key++) await add(memory, `more${pages}:${key}`);
      pages++;
    } while (cursor !== "0");
    expect(pages).toBe(30);
  });
});

describe("SCAN", () => {
  it("filters by MATCH and TYPE", async () => {
    const memory = memoryTransport();
    await memory.send([
      ["SET", "a:1", 1],
      ["RPUSH", "a:2", 1],
      ["HSET", "b:1", "f", 1],
    ]);
    expect(await send(memory, "SCAN", 0, "MATCH", "a:*", "TYPE", "list")).toEqual(["0", ["a:2"]]);
    expect(await send(memory, "SCAN", 0, "TYPE", "HASH")).toEqual(["0", ["b:1"]]);
    expect(await send(memory, "SCAN", 0, "TYPE", "zset")).toEqual(["0", []]);
  });
});
