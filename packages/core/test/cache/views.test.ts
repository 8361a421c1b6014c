import { Cache, type Command, type Transport } from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { empty, recordingTransport } from "../recording-transport.ts";

/** A cache of a program's own, with something of its own. */
class CountingCache extends Cache {
  calls = { made: 0 };
  async count(): Promise<void> {
    this.calls.made++;
    await this.increment("calls");
  }
}

describe("a view of a cache", () => {
  // What is left of a call's time when it is sent is all of it.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("has the fields and the class of its cache", async () => {
    const transport = recordingTransport(() => 1);
    const cache = new CountingCache({ transport });
    const view = cache.with({ timeout: "1s" }).with({ fallback: false });
    await view.count();
    expect(view).toBeInstanceOf(CountingCache);
    expect(Object.keys(view)).toEqual(Object.keys(cache));
    expect(cache.calls.made).toBe(1);
    expect(transport.options).toMatchObject([{ timeoutMs: 1_000, fallback: false }]);
    expect(view.stats().commands).toBe(cache.stats().commands);
  });

  it("keeps its own defaults when it is observed, and its observer when it gets defaults", async () => {
    const transport = recordingTransport(() => "OK");
    const told: (readonly Command[])[] = [];
    const observer = async (commands: readonly Command[]) => void told.push(commands);
    const cache = new Cache({ transport });
    await cache.with({ timeout: "1s" }).observed(observer).set("a", 1);
    await cache.observed(observer).with({ timeout: "2s" }).set("b", 1);
    await cache.set("c", 1);
    expect(transport.options.map((options) => options?.timeoutMs)).toEqual([1_000, 2_000, 5_000]);
    expect(told.map(([command]) => command?.[1])).toEqual(["a", "b"]);
  });
});

describe("closing", () => {
  const closable = (): Transport & { readonly close: ReturnType<typeof vi.fn> } => ({
    ...recordingTransport(empty),
    close: vi.fn(async () => {}),
  });

  it("one of two caches on a transport leaves it open for the other", async () => {
    const transport = closable();
    const [one, other] = [new Cache({ transport }), new Cache({ transport, keyPrefix: "other:" })];
    await one.close();
    expect(transport.close).not.toHaveBeenCalled();
    expect(await other.get("k")).toBeUndefined();
    await expect(one.get("k")).rejects.toMatchObject({ kind: "closed", delivery: "none" });
    await expect(one.pipeline().get("k").execute()).rejects.toMatchObject({ kind: "closed" });
    await other.close();
    expect(transport.close).toHaveBeenCalledTimes(1);
  });

  it("twice, or through a view, counts once", async () => {
    const transport = closable();
    const [one, other] = [new Cache({ transport }), new Cache({ transport })];
    await Promise.all([one.close(), one.close(), one.with({ timeout: 1 }).close()]);
    expect(transport.close).not.toHaveBeenCalled();
    await expect(one.with({ timeout: 1 }).get("k")).rejects.toMatchObject({ kind: "closed" });
    await other.close();
    await other.close();
    expect(transport.close).toHaveBeenCalledTimes(1);
  });
});
