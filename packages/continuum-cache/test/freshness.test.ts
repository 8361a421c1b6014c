import { Cache } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bothProtocols, timeout } from "./both-protocols.ts";

const { redis, ways } = bothProtocols();
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe.each([...ways, ["memory", () => memoryTransport()] as const])("freshness over %s", (name, make) => {
  let cache: Cache;
  beforeAll(async () => {
    cache = new Cache({ transport: make(), timeout, codec: [msgpack()], keyPrefix: `${name}:` });
    await cache.ping();
  });
  afterAll(() => cache.close());

  /** The commands that Redis ran for a piece of work. The memory bills nothing. */
  const billed = async (work: () => Promise<unknown>) => {
    await redis().resetStats();
    await work();
    const counted = Object.entries(await redis().commandStats());
    return Object.fromEntries(counted.filter(([command]) => !/^(config\||info$|ping$)/.test(command)));
  };
  const expectBilled = async (work: () => Promise<unknown>, commands: Record<string, number>): Promise<void> => {
    const counted = await billed(work);
    if (name !== "memory") expect(counted).toEqual(commands);
  };

  it("serves stale text and stale bytes, one command a read and two for the load behind it", async () => {
    const options = { ttl: "1ms", staleWhileRevalidate: "1h" } as const;
    for (const value of [7, { at: new Date(5), bytes: Uint8Array.of(1, 2, 255) }]) {
      await cache.delete("k");
      await expectBilled(() => cache.getOrSet("k", async () => value, options), { mget: 1, set: 1 });
      await later(5);
      expect(await cache.get("k")).toBeUndefined();
      const works: Promise<unknown>[] = [];
      const waitUntil = (work: Promise<unknown>) => void works.push(work);
      const next = vi.fn(async () => "next" as unknown);
      await expectBilled(
        async () => {
          const calls = Array.from({ length: 50 }, () => cache.getOrSet("k", next, { ...options, waitUntil }));
          for (const served of await Promise.all(calls)) expect(served).toEqual(value);
          await Promise.all(works);
        },
        { mget: 1, set: 1 },
      );
      expect(next).toHaveBeenCalledTimes(1);
      expect(works).toHaveLength(1);
    }
  });

  it("keeps a value for its ttl and the longer of the two windows", async () => {
    await cache.getOrSet("kept", () => 1, { ttl: "1h", staleWhileRevalidate: "1h", staleIfError: "1d" });
    expect(Math.ceil((await cache.ttl("kept")) / 100) * 100).toBe(90_000);
    expect(await cache.get("kept")).toBe(1);
  });

  it("uses a stale value when the loader fails", async () => {
    const options = { ttl: "1ms", staleIfError: "1h" } as const;
    await cache.getOrSet("e", () => "old", options);
    await later(5);
    const failing = vi.fn(() => Promise.reject<string>(new Error("no database")));
    const calls = Array.from({ length: 20 }, () => cache.getOrSet("e", failing, options));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["old"]));
    expect(failing).toHaveBeenCalledTimes(1);
    await cache.delete("e");
    const without = Array.from({ length: 20 }, () => cache.getOrSet("e", failing, options));
    for (const { status } of await Promise.allSettled(without)) expect(status).toBe("rejected");
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it("loads 100 missing values by one read, one loader call, and one write each", async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `many:${index}`);
    const loader = vi.fn(async (missing: string[]) => new Map(missing.map((key) => [key, key.length])));
    await expectBilled(() => cache.getOrSetMany(keys, loader, { ttl: "1h" }), { mget: 1, set: 100 });
    await expectBilled(() => cache.getOrSetMany(keys, loader, { ttl: "1h" }), { mget: 1 });
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await cache.getMany(keys)).toEqual(keys.map((key) => key.length));
  });
});
