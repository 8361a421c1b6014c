import { Cache, type Command, type Reply, type Transport } from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onTheEdge, vanishing } from "../edge.ts";
import { empty, recordingTransport } from "../recording-transport.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  onTheEdge();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A transport that leaves its first trips without an answer, as if their request had ended. */
function silentAtFirst(trips: number): Transport & { readonly trips: Command[][] } {
  const answering = recordingTransport(empty);
  let silent = trips;
  return {
    ...answering,
    send: (commands, options) => (silent-- > 0 ? new Promise<Reply[]>(() => {}) : answering.send(commands, options)),
  };
}

describe("getOrSet where a request has vanished", () => {
  const abandon = async (cache: Cache): Promise<void> => {
    const { setTimeout: real } = globalThis;
    vanishing(() => void cache.getOrSet("k", () => "never").catch(() => {}));
    // Its trip leaves at the end of the tick, without any timer either.
    Object.assign(globalThis, { setTimeout: () => 0 });
    await new Promise((resolve) => setImmediate(resolve));
    Object.assign(globalThis, { setTimeout: real });
  };

  it("takes the load over, for the call that had joined it and for those that come later", async () => {
    const cache = new Cache({ transport: silentAtFirst(1) });
    await abandon(cache);
    const loader = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 100, "loaded")));
    const joined = cache.getOrSet("k", loader);
    const also = cache.getOrSet("k", loader);
    await vi.advanceTimersByTimeAsync(500);
    expect(await joined).toBe("loaded");
    expect(await also).toBe("loaded");
    expect(loader).toHaveBeenCalledTimes(1);
    const later = cache.getOrSet("k", loader);
    await vi.advanceTimersByTimeAsync(500);
    expect(await later).toBe("loaded");
  });

  it("keeps the deadline of a call that has joined, also if the load's owner vanishes", async () => {
    const cache = new Cache({ transport: recordingTransport(empty) });
    const owner = cache.getOrSet("k", () => new Promise(() => {}), { loaderTimeout: "10s" }).catch(() => {});
    const joined = cache.getOrSet("k", () => "mine", { timeout: "1s" }).catch((error) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await joined).toMatchObject({ kind: "timeout" });
    const patient = cache.getOrSet("k", () => "mine", { loaderTimeout: "1s" }).catch((failure) => failure);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await patient).toMatchObject({ kind: "timeout", queued: true });
    await vi.advanceTimersByTimeAsync(10_000);
    await owner;
  });

  it("does not store the value of an abandoned load, since a newer value may be stored", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    let finish = (_: string): void => {};
    vanishing(
      () =>
        void cache
          .getOrSet("k", () => new Promise<string>((resolve) => (finish = resolve)), { loaderTimeout: "20s" })
          .catch(() => {}),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(26_000);
    const other = cache.getOrSet("k", () => "new");
    await vi.advanceTimersByTimeAsync(100);
    expect(await other).toBe("new");
    finish("old");
    await vi.advanceTimersByTimeAsync(100);
    expect(transport.trips.flat().filter(([name]) => name === "SET")).toEqual([["SET", "k", '"new"']]);
  });
});

describe("a tick whose call has vanished before it ended", () => {
  const { nextTick } = process;
  let isVanishing = false;
  beforeEach(() => {
    const unlessVanishing = (...given: Parameters<typeof nextTick>): void => {
      if (!isVanishing) nextTick(...given);
    };
    Object.assign(process, { nextTick: unlessVanishing });
  });
  afterEach(() => void Object.assign(process, { nextTick }));

  const open = (cache: Cache, timeout: `${number}s`): Promise<unknown> => {
    isVanishing = true;
    try {
      return cache.set("a", 1, { timeout }).catch((error) => error);
    } finally {
      isVanishing = false;
    }
  };

  it("is taken over by the next call, in order", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    open(cache, "5s");
    await vi.advanceTimersByTimeAsync(50);
    expect(transport.trips).toEqual([]);
    await cache.set("a", 2);
    expect(transport.trips).toEqual([
      [
        ["SET", "a", "1"],
        ["SET", "a", "2"],
      ],
    ]);
    await cache.flush();
  });

  it("does not send calls whose deadline is over", async () => {
    const transport = recordingTransport(empty);
    const cache = new Cache({ transport, defaultTtl: Number.POSITIVE_INFINITY });
    const late = open(cache, "1s");
    await vi.advanceTimersByTimeAsync(1_500);
    await cache.set("a", 2);
    expect(transport.trips).toEqual([[["SET", "a", "2"]]]);
    expect(await late).toMatchObject({ kind: "timeout", delivery: "none", queued: true });
  });

  it("is sent by flush, which waits no longer than a trip that has vanished may take", async () => {
    const transport = silentAtFirst(1);
    const cache = new Cache({ transport, timeout: "2s" });
    open(cache, "5s");
    const flushed = vi.fn();
    void cache.close().then(flushed);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(flushed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(flushed).toHaveBeenCalled();
  });
});
