import { describe, expect, it, vi } from "vitest";
import type { FederationQueue } from "../../src/queue/federation-queue.ts";
import type { FederationQueueOptions } from "../../src/queue/options.ts";
import { closing } from "./backends.ts";
import { faulty } from "./faulty.ts";

// What becomes of pushes and leases while Redis is away, and when its answers get lost.

const opened = closing();
const patiently = { timeout: 60_000, interval: 20 };

describe.each(faulty)("over $name", ({ start }) => {
  const begin = (options?: FederationQueueOptions) => start(opened, options);
  /** Everything that waits, in order. */
  const drain = async (queue: FederationQueue<number>): Promise<number[]> => {
    const events: number[] = [];
    for (;;) {
      const leases = await queue.pull({ max: 100 });
      if (leases.length === 0) return events;
      events.push(...leases.map(({ event }) => event));
      await Promise.all(leases.map((lease) => lease.ack()));
    }
  };

  it("keeps pushes in order during an outage, and pushes them once afterwards", {
    timeout: 60_000,
  }, async () => {
    const { proxy, queue, other } = await begin();
    const kept = vi.fn();
    queue.on("kept", kept);
    await queue.push(0);
    proxy.set({ kind: "refuse" });
    proxy.cut();
    for (let event = 1; event <= 5; event++) {
      expect(await queue.push(event)).toMatchObject({ pending: true, id: expect.any(String) });
    }
    expect(queue.pending).toBe(5);
    expect(kept).toHaveBeenLastCalledWith({ id: expect.any(String), pending: 5 });
    await expect(queue.push(6, { fallback: false })).rejects.toMatchObject({ name: "TransportError" });
    await expect(queue.pull()).rejects.toMatchObject({ name: "TransportError" });
    proxy.set({ kind: "pass" });
    await vi.waitFor(() => expect(queue.pending).toBe(0), patiently);
    await queue.push(7);
    expect(await drain(other)).toEqual([0, 1, 2, 3, 4, 5, 7]);
  });

  it("rejects a push when the outbox is full, and reports lost pushes when it closes", async () => {
    const { proxy, queue } = await begin({ outbox: { maxMessages: 2 } });
    proxy.set({ kind: "refuse" });
    proxy.cut();
    await queue.push(1);
    await queue.push(2);
    await expect(queue.push(3)).rejects.toThrow(/no room/);
    expect(queue.pending).toBe(2);
    const errors: string[] = [];
    queue.on("error", ({ operation, error }) => errors.push(`${operation}: ${error.message}`));
    await queue.close();
    expect(errors.some((text) => /^close: 2 pushes .* lost/.test(text))).toBe(true);
  });

  it("pushes what waits before it closes, if Redis answers in time", async () => {
    const { proxy, queue, other } = await begin({ timeout: "5s" });
    proxy.set({ kind: "refuse" });
    proxy.cut();
    await queue.push(1);
    proxy.set({ kind: "pass" });
    await queue.close();
    expect(await drain(other)).toEqual([1]);
  });

  it("pushes once when replies get lost, with an id and without", async () => {
    const { proxy, queue, other } = await begin();
    await queue.push(0);
    proxy.set({ kind: "half-open", lost: "replies" });
    const pushes = [queue.push(1), queue.push(2, { id: "two" }), queue.push(3, { delay: "2s" })];
    for (const push of pushes) expect(await push).toMatchObject({ pending: true });
    proxy.cut();
    proxy.set({ kind: "pass" });
    await vi.waitFor(() => expect(queue.pending).toBe(0), patiently);
    expect((await drain(other)).sort()).toEqual([0, 1, 2]);
    expect((await other.stats()).delayed).toBe(1);
    expect(await other.push(2, { id: "two" })).toEqual({ id: "two", duplicate: true });
  });

  it("resolves a repeated ack whose first reply was lost", async () => {
    const { proxy, queue, other } = await begin({ timeout: "6s", visibilityTimeout: "30s" });
    await other.pushMany([{ event: 1 }, { event: 2 }]);
    const leases = await queue.pull({ max: 2 });
    expect(leases.length).toBe(2);
    proxy.set({ kind: "half-open", lost: "replies" });
    const acks = Promise.all(leases.map((lease) => lease.ack()));
    await vi.waitFor(async () => expect((await other.stats()).inFlight).toBe(0), patiently);
    proxy.set({ kind: "pass" });
    proxy.cut();
    await acks;
    expect(await drain(other)).toEqual([]);
  });

  it("does not resolve an ack whose outcome is unknown", async () => {
    const { proxy, queue, other } = await begin({ timeout: "500ms", visibilityTimeout: "400ms" });
    await other.push(1);
    const [lease] = await queue.pull();
    proxy.set({ kind: "blackhole" });
    await expect(lease?.ack()).rejects.toMatchObject({ name: "TransportError" });
    proxy.cut();
    proxy.set({ kind: "pass" });
    await vi.waitFor(async () => expect(await drain(other)).toEqual([1]), patiently);
    await expect(lease?.ack()).rejects.toMatchObject({ name: "TransportError" });
  });

  it("finds the messages of a lost reply again", async () => {
    const { proxy, queue, other } = await begin({ visibilityTimeout: "60s" });
    await queue.pull();
    await other.pushMany([{ event: 1 }, { event: 2 }, { event: 3 }]);
    proxy.set({ kind: "half-open", lost: "replies" });
    await expect(queue.pull({ max: 10 })).rejects.toMatchObject({ name: "TransportError" });
    proxy.cut();
    proxy.set({ kind: "pass" });
    expect((await other.stats()).inFlight).toBe(1);
    const got: number[] = [];
    await vi.waitFor(async () => {
      const leases = await queue.pull({ max: 2 });
      expect(leases.length).toBeLessThanOrEqual(2);
      expect(leases.every(({ crashes }) => crashes === 0)).toBe(true);
      got.push(...leases.map(({ event }) => event));
      await Promise.all(leases.map((lease) => lease.ack()));
      expect(got.length).toBe(3);
    }, patiently);
    expect(got.sort()).toEqual([1, 2, 3]);
  });

  it("takes the message of a lease that it lost no sooner than other processes would, and counts a crash", {
    timeout: 60_000,
  }, async () => {
    const { proxy, queue, other } = await begin({
      timeout: "300ms",
      visibilityTimeout: "600ms",
      pollInterval: "100ms",
    });
    const crashes: number[] = [];
    let isLost = false;
    const untilLost = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          isLost = true;
          resolve();
        }),
      );
    queue.consume(
      async (_, lease) => {
        crashes.push(lease.crashes);
        if (crashes.length === 1) await untilLost(lease.signal);
      },
      { concurrency: 2 },
    );
    await other.push(1);
    await vi.waitFor(() => expect(crashes).toEqual([0]), patiently);
    proxy.set({ kind: "half-open", lost: "replies" });
    await vi.waitFor(() => expect(isLost).toBe(true), patiently);
    proxy.cut();
    proxy.set({ kind: "pass" });
    await vi.waitFor(() => expect(crashes.length).toBe(2), patiently);
    expect(crashes).toEqual([0, 1]);
  });

  it.each(["nack", "release"] as const)(
    "does not take for done what its handler had wished to %s",
    { timeout: 60_000 },
    async (wish) => {
      const { proxy, queue, other } = await begin({
        timeout: "300ms",
        visibilityTimeout: "2s",
        pollInterval: "100ms",
      });
      const errors: unknown[] = [];
      let taken = 0;
      queue.consume(async (_, lease) => {
        taken++;
        if (errors.length > 0) return;
        proxy.set({ kind: "blackhole" });
        await lease[wish]().catch((error: unknown) => errors.push(error));
        proxy.cut();
        proxy.set({ kind: "pass" });
      });
      await other.push(1);
      await vi.waitFor(() => expect(taken).toBe(2), patiently);
      expect(errors).toEqual([expect.objectContaining({ name: "TransportError" })]);
      await vi.waitFor(async () => expect((await other.stats()).inFlight).toBe(0), patiently);
    },
  );

  it("goes on after kill -9 of Redis, and loses nothing", async () => {
    const { redis, queue, other } = await begin({ visibilityTimeout: "1s", pollInterval: "1s" });
    const done = new Set<number>();
    queue.consume((event) => void done.add(event), { concurrency: 8 });
    other.consume((event) => void done.add(event), { concurrency: 8 });
    for (let event = 0; event < 50; event++) await queue.push(event);
    await redis.kill();
    const during = Promise.all(Array.from({ length: 50 }, (_, at) => queue.push(50 + at)));
    await redis.restart();
    await during;
    for (let event = 100; event < 150; event++) await other.push(event);
    await vi.waitFor(() => expect(done.size).toBe(150), patiently);
    await vi.waitFor(
      async () => expect(await other.stats()).toMatchObject({ depth: 0, inFlight: 0, dead: 0 }),
      patiently,
    );
  });
});
