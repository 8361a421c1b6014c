import { setTimeout as sleep } from "node:timers/promises";
import { type Lock, UpstashCache } from "continuum-cache";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends, type RunningBackend } from "./backends.ts";

const shared = backends.filter(({ name }) => name !== "local memory");

describe.each(shared)("locks over $name", ({ start }) => {
  let backend: RunningBackend;
  let one: UpstashCache;
  let two: UpstashCache;
  beforeAll(async () => {
    backend = await start();
  });
  beforeEach(async () => {
    [one, two] = [new UpstashCache({ env: backend.env }), new UpstashCache({ env: backend.env })];
    await one.transport.send([["FLUSHDB"]]);
  });
  afterEach(() => Promise.all([one.close(), two.close()]));
  afterAll(() => backend.close());
  const taken = async (lock: Promise<Lock | undefined>): Promise<Lock> => {
    const held = await lock;
    if (!held) throw new Error("The lock was not free");
    return held;
  };

  it("has one holder, and each later one has a greater token", async () => {
    const first = await taken(one.lock("a"));
    expect(await two.lock("a")).toBeUndefined();
    expect(await one.lock("a")).toBeUndefined();
    expect(await two.lock("b")).toBeDefined();
    expect(await first.release()).toBe(true);
    expect(await first.release()).toBe(false);
    expect(first.isHeld).toBe(false);
    const second = await taken(two.lock("a"));
    expect(second.token).toBeGreaterThan(first.token);
    await second.release();
    await one.transport.send([["FLUSHDB"]]);
    await sleep(5); // tokens grow with the time in milliseconds
    expect((await taken(one.lock("a"))).token).toBeGreaterThan(second.token);
  });

  it("waits until the lock is free, or its wait or its signal ends", async () => {
    const first = await taken(one.lock("a"));
    const controller = new AbortController();
    const aborted = two.lock("a", { wait: "1m", signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "aborted" });
    expect(await two.lock("a", { wait: "60ms" })).toBeUndefined();
    const waiting = two.lock("a", { wait: "1m" });
    await sleep(50);
    await first.release();
    expect((await taken(waiting)).isHeld).toBe(true);
  });

  it("renews the lease while it is held", async () => {
    const first = await taken(one.lock("a", { lease: "300ms" }));
    expect(await two.lock("a", { wait: "900ms" })).toBeUndefined();
    expect(first.isHeld).toBe(true);
    expect(await first.extend("10s")).toBe(true);
    expect(first.lost.aborted).toBe(false);
    await first.release();
  });

  it("passes the lock on when its holder vanishes, after the holder could know that it is lost", async () => {
    const first = await taken(one.lock("a", { lease: "400ms" }));
    await one.close(); // renews no more
    const second = await taken(two.lock("a", { wait: "1m" }));
    expect(first.isHeld).toBe(false);
    expect(first.lost.aborted).toBe(true);
    expect(first.lost.reason).toMatchObject({ message: expect.stringContaining("was not renewed in time") });
    expect(second.token).toBeGreaterThan(first.token);
  });

  it("notices that the server no longer has the lock", async () => {
    const first = await taken(one.lock("a", { lease: "300ms" }));
    await two.transport.send([["DEL", "lock:a"]]);
    await expect.poll(() => first.lost.aborted).toBe(true);
    expect(await first.release()).toBe(false);
    const other = await taken(one.lock("b"));
    await two.transport.send([["DEL", "lock:b"]]);
    expect(await other.extend()).toBe(false);
    expect(other.isHeld).toBe(false);
  });

  it("a semaphore has as many holders as its limit", async () => {
    const permits = [await taken(one.semaphore("s", { limit: 2 })), await taken(two.semaphore("s", { limit: 2 }))];
    expect(await one.semaphore("s", { limit: 2 })).toBeUndefined();
    const waiting = one.semaphore("s", { limit: 2, wait: "1m" });
    await permits[0]?.release();
    expect(await waiting).toBeDefined();
  });

  it("withLock never runs two at once, and gives the lock back after a failure", async () => {
    let running = 0;
    let most = 0;
    const tokens: number[] = [];
    const work = async ({ token }: { token: number }) => {
      most = Math.max(most, ++running);
      tokens.push(token);
      await sleep(5);
      running--;
      if (tokens.length % 3 === 0) throw new Error("failed");
    };
    const calls = Array.from({ length: 12 }, (_, index) =>
      (index % 2 === 0 ? one : two).withLock("a", work, { wait: "2m" }),
    );
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(4);
    expect(most).toBe(1);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(12);
  });

  it("withLock rejects when the lock is not free, and when it was lost meanwhile", async () => {
    await using held = await one.lock("a");
    expect(held).toBeDefined();
    await expect(two.withLock("a", () => 1, { wait: "30ms" })).rejects.toMatchObject({ kind: "timeout" });
    const lost = two.withLock(
      "b",
      async ({ signal }) => {
        await one.transport.send([["DEL", "lock:b"]]);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return "late";
      },
      { lease: "200ms" },
    );
    await expect(lost).rejects.toMatchObject({ message: expect.stringContaining("was lost") });
  });
});

describe("a lock while the primary is away", () => {
  it("rejects, and never comes from local memory", async () => {
    const cache = new UpstashCache({ url: "redis://127.0.0.1:1", env: {}, timeout: "300ms", retries: 0 });
    await cache.set("a", 1);
    expect(cache.currentBackend).toBe("local");
    await expect(cache.lock("a")).rejects.toMatchObject({ kind: "unreachable" });
    await expect(cache.withLock("a", () => 1)).rejects.toMatchObject({ kind: "unreachable" });
    await cache.close();
  });

  it("names a wrong option before anything is sent", async () => {
    const cache = new UpstashCache({ env: { CONTINUUM_CACHE_MODE: "local" } });
    await expect(cache.lock("a", { leese: 1 } as object)).rejects.toThrow(/lease/);
    await expect(cache.lock("a", { lease: 0 })).rejects.toThrow(/lease.*got 0/);
    await expect(cache.semaphore("a", { limit: 0 })).rejects.toThrow(/limit.*got 0/);
    await cache.close();
  });
});
