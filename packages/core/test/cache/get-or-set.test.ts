import { Cache, CommandError, isTransportError, type Transport, TransportError } from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

const away: Transport = {
  name: "away",
  send: async () => {
    throw new TransportError("unreachable", "down", { transport: "away" });
  },
  close: async () => {},
};

describe("getOrSet", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  const slowly = <T>(value: T, ms: number) => new Promise<T>((resolve) => setTimeout(resolve, ms, value));

  it("with a signal alone waits as long as the loader may take", async () => {
    const cache = new Cache({ transport: recordingTransport(empty) });
    const { signal } = new AbortController();
    const value = cache.getOrSet("k", () => slowly("late", 20_000), { signal });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await value).toBe("late");
  });

  it("with a timeout of its own gives up waiting; the load goes on for the others", async () => {
    const cache = new Cache({ transport: recordingTransport(empty) });
    const loader = vi.fn(() => slowly("late", 1_000));
    const hasty = expect(cache.getOrSet("k", loader, { timeout: "10ms" })).rejects.toMatchObject({ kind: "timeout" });
    const patient = cache.getOrSet("k", loader);
    await vi.advanceTimersByTimeAsync(1_000);
    await hasty;
    expect(await patient).toBe("late");
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it("does not begin when its signal has fired already", async () => {
    const transport = recordingTransport(empty);
    const loader = vi.fn(() => 1);
    const call = new Cache({ transport }).getOrSet("k", loader, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ kind: "aborted" });
    expect(loader).not.toHaveBeenCalled();
    expect(transport.trips).toEqual([]);
  });

  it("leaves no unhandled rejection when all callers gave up before the loader failed", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const cache = new Cache({ transport: recordingTransport(empty) });
    const failing = () => slowly(null, 1_000).then(() => Promise.reject(new Error("no database")));
    const call = expect(cache.getOrSet("k", failing, { timeout: "10ms" })).rejects.toMatchObject({ kind: "timeout" });
    await vi.advanceTimersByTimeAsync(1_000);
    await call;
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("rejects all callers of a loader that never ends, and says how to allow more time", async () => {
    const cache = new Cache({ transport: recordingTransport(empty) });
    const calls = [1, 2].map(() => cache.getOrSet("k", () => new Promise(() => {}), { loaderTimeout: "2s" }));
    const outcomes = Promise.allSettled(calls);
    await vi.advanceTimersByTimeAsync(2_000);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "timeout" } });
      expect(String((outcome as PromiseRejectedResult).reason)).toMatch(
        /longer than 2000 ms \(raise `loaderTimeout`\)/,
      );
    }
  });

  it("returns the loader's value when the cache is away, with an event; with fallback: false it rejects", async () => {
    const cache = new Cache({ transport: away });
    const errors = vi.fn();
    cache.on("error", errors);
    expect(await cache.getOrSet("k", () => "loaded")).toBe("loaded");
    expect(errors).toHaveBeenCalledTimes(2);
    expect(isTransportError(errors.mock.calls[0]?.[0].error)).toBe(true);
    await expect(cache.getOrSet("k", () => "loaded", { fallback: false })).rejects.toMatchObject({
      kind: "unreachable",
    });
    await expect(cache.with({ fallback: false }).getOrSet("k", () => 1)).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("returns, but does not store, a value that the codec can't write, and emits an error", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport });
    const errors = vi.fn();
    cache.on("error", errors);
    expect(await cache.getOrSet("k", () => 1n)).toBe(1n);
    expect(errors.mock.calls[0]?.[0]).toMatchObject({ operation: "getOrSet", key: "k", error: { name: "CodecError" } });
    expect(transport.trips).toHaveLength(1);
  });

  it("loads when Redis refuses the read, and emits an error", async () => {
    const refuse = recordingTransport(([name]) => (name === "MGET" ? new CommandError("NOPERM no") : "OK"));
    const cache = new Cache({ transport: refuse });
    const errors = vi.fn();
    cache.on("error", errors);
    expect(await cache.getOrSet("k", () => 1)).toBe(1);
    expect(errors).toHaveBeenCalledTimes(1);
  });
});
