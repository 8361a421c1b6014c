import { Cache } from "@continuum-cache/core";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { onTheEdge } from "../../edge.ts";
import { expiringStore } from "../../expiring-store.ts";

// The first use loads code.
beforeAll(() => new Cache({ transport: expiringStore().transport }).getOrSet("k", () => 1, { jitter: 0.1 }));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: 1e12 });
  onTheEdge();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Runs a request that vanishes in the middle of its load: none of its timers fires, and its load never ends. */
async function vanishing(begin: () => void): Promise<void> {
  const { setTimeout: real } = globalThis;
  Object.assign(globalThis, { setTimeout: Object.assign(() => 0, real) });
  begin();
  await turns();
  Object.assign(globalThis, { setTimeout: real });
}

describe("a load whose request has vanished", () => {
  const options = { ttl: "1m", staleWhileRevalidate: "1h", staleIfError: "2h" } as const;

  const setUp = async () => {
    const { transport } = expiringStore();
    const cache = new Cache({ transport });
    await cache.getOrSet("k", () => "old", options);
    return cache;
  };
  const never = () => new Promise<string>(() => {});

  it("in the background is taken over by the next call, which is served the stale value", async () => {
    const cache = await setUp();
    await vi.advanceTimersByTimeAsync(60_010);
    const served: unknown[] = [];
    await vanishing(() => void cache.getOrSet("k", never, options).then((value) => served.push(value)));
    expect(served).toEqual(["old"]);
    const loader = vi.fn(async () => "new");
    // Its owner may still be at work.
    expect(await cache.getOrSet("k", loader, options)).toBe("old");
    expect(loader).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(await cache.getOrSet("k", loader, options)).toBe("old");
    await turns();
    expect(await cache.getOrSet("k", loader, options)).toBe("new");
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it("does not store what it brings later", async () => {
    const cache = await setUp();
    await vi.advanceTimersByTimeAsync(60_010);
    let finish = (_: string): void => {};
    const abandoned = () => new Promise<string>((resolve) => (finish = resolve));
    await vanishing(() => void cache.getOrSet("k", abandoned, options));
    await vi.advanceTimersByTimeAsync(200);
    await cache.getOrSet("k", () => "new", options);
    await turns();
    finish("too late");
    await turns();
    expect(await cache.getOrSet("k", never, options)).toBe("new");
  });

  it("in the foreground is taken over by a call that waits for it", async () => {
    const cache = await setUp();
    await cache.delete("k");
    await vanishing(() => void cache.getOrSet("k", never, options).catch(() => {}));
    const waiting = cache.getOrSet("k", async () => "mine", options);
    await vi.advanceTimersByTimeAsync(500);
    expect(await waiting).toBe("mine");
  });

  it("of several keys is taken over key by key", async () => {
    const cache = await setUp();
    await vanishing(() => void cache.getOrSetMany(["a", "b"], () => new Promise<never>(() => {})).catch(() => {}));
    const loader = vi.fn((missing: string[]) => Object.fromEntries(missing.map((key) => [key, `${key} loaded`])));
    const waiting = cache.getOrSetMany(["a", "b"], loader);
    await vi.advanceTimersByTimeAsync(500);
    expect(await waiting).toEqual(["a loaded", "b loaded"]);
  });

  it("keeps no call longer than its own time, also while it reads", async () => {
    const { transport } = expiringStore();
    const cache = new Cache({ transport: { ...transport, send: () => new Promise(() => {}) } });
    await vanishing(() => void cache.getOrSet("k", never, options).catch(() => {}));
    const call = cache.getOrSet("k", () => "mine", { ...options, timeout: "1s" }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toMatchObject({ kind: "timeout" });
  });
});

describe("waitUntil", () => {
  const options = { ttl: "1m", staleWhileRevalidate: "1h" } as const;

  it("is given what goes on behind the answer, and nothing else; that never rejects", async () => {
    const { transport } = expiringStore();
    const cache = new Cache({ transport });
    const works: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void works.push(work);
    await cache.getOrSet("k", () => 1, { ...options, waitUntil });
    await cache.getOrSet("k", () => 2, { ...options, waitUntil });
    expect(works).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_010);
    const failing = () => Promise.reject<number>(new Error("no database"));
    expect(await cache.getOrSet("k", failing, { ...options, waitUntil })).toBe(1);
    expect(await works[0]).toBeUndefined();
    expect(await cache.getOrSet("k", () => 2, { ...options, waitUntil })).toBe(1);
    await works[1];
    expect(await cache.getOrSet("k", () => 3, { ...options, waitUntil })).toBe(2);
    expect(works).toHaveLength(2);
  });
});
