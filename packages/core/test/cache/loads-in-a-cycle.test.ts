import { Cache } from "@continuum-cache/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

const later = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, 5, value));

describe("a loader that waits for itself", () => {
  afterEach(() => void vi.unstubAllGlobals());
  const create = () => new Cache({ transport: recordingTransport(empty) });

  it.each([
    ["at once", (cache: Cache) => () => cache.getOrSet("a", () => 1)],
    [
      "after an await",
      (cache: Cache) => async () => {
        await later(1);
        return cache.getOrSet("a", () => 1);
      },
    ],
    [
      "through another key",
      (cache: Cache) => async () => {
        await later(1);
        return cache.getOrSet("b", async () => {
          await later(1);
          return cache.getOrSet("a", () => 1);
        });
      },
    ],
  ])("%s is rejected at once, and the error names the keys", async (_, loaderFor) => {
    const cache = create();
    const call = cache.getOrSet("a", loaderFor(cache));
    await expect(call).rejects.toThrow(TypeError);
    await expect(call).rejects.toThrow(/waits for itself: ("a" → "a"|"b" → "a" → "b")/);
    expect(await cache.getOrSet("a", () => "fine")).toBe("fine");
  });

  it("is rejected too where two loads that began apart wait for each other", async () => {
    const cache = create();
    const loaders = {
      a: async () => {
        await later(1);
        return cache.getOrSet("b", loaders.b);
      },
      b: async (): Promise<unknown> => {
        await later(1);
        return cache.getOrSet("a", loaders.a);
      },
    };
    const outcomes = await Promise.allSettled([cache.getOrSet("a", loaders.a), cache.getOrSet("b", loaders.b)]);
    for (const outcome of outcomes) {
      expect(String((outcome as PromiseRejectedResult).reason)).toMatch(/waits for itself/);
    }
  });

  it("is recognized across caches", async () => {
    const [one, two] = [create(), create()];
    const call = one.getOrSet("k", async () => {
      await later(1);
      return two.getOrSet("k", () => one.getOrSet("k", () => 1));
    });
    await expect(call).rejects.toThrow(/waits for itself/);
  });

  it("is recognized where there is no AsyncLocalStorage, if it asks at once", async () => {
    vi.resetModules();
    vi.stubGlobal("process", { ...process, getBuiltinModule: undefined, nextTick: process.nextTick.bind(process) });
    const fresh = await import("@continuum-cache/core");
    const cache = new fresh.Cache({ transport: recordingTransport(empty) });
    await expect(cache.getOrSet("a", () => cache.getOrSet("a", () => 1))).rejects.toThrow(/waits for itself/);
    // Nothing is known of a loader once it has awaited something; its own timeout ends it then.
    const call = cache.getOrSet("a", async () => (await later(1)) && cache.getOrSet("a", () => 1), {
      loaderTimeout: "50ms",
    });
    await expect(call).rejects.toMatchObject({ kind: "timeout" });
  });

  it("is not reported for other keys, later calls and joined loads", async () => {
    const cache = create();
    const shared = vi.fn(() => later("shared"));
    const values = await Promise.all([
      cache.getOrSet("a", async () => `a of ${await cache.getOrSet("c", shared)}`),
      cache.getOrSet("b", async () => `b of ${await cache.getOrSet("c", shared)}`),
      cache.getOrSet("d", () => cache.getOrSet("d", () => "primary", { fallback: false })),
    ]);
    expect(values).toEqual(["a of shared", "b of shared", "primary"]);
    expect(shared).toHaveBeenCalledTimes(1);
    // Begun by a loader, but asking when that is over.
    let asked: Promise<unknown> | undefined;
    await cache.getOrSet("e", () => {
      setTimeout(() => (asked = cache.getOrSet("e", () => "again")), 20);
      return "once";
    });
    await expect.poll(() => asked).toBeDefined();
    expect(await asked).toBe("again");
  });
});
