import { describe, expect, it, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { startLaggingReplica, ways } from "../lagging-replica.ts";
import { closing } from "./backends.ts";

// A replica that has not the end of what its primary had confirmed takes its place.

const opened = closing();
const patiently = { timeout: 60_000, interval: 20 };
const slowly = { timeout: 120_000, interval: 200 };

describe.each(ways)("over %s", (way) => {
  const start = async () => {
    const pair = await startLaggingReplica(opened);
    const queue = opened(new FederationQueue<number>({ transport: await pair.connect(way) }));
    const repaired = vi.fn();
    queue.on("repaired", ({ count }) => repaired(count));
    return { pair, queue, repaired };
  };

  it("pushes again what the promoted replica lacks, under the same id, after a failed call", {
    timeout: 60_000,
  }, async () => {
    const { pair, queue, repaired } = await start();
    const ids: string[] = [];
    const push = async (from: number, to: number): Promise<void> => {
      for (let event = from; event < to; event++) ids.push((await queue.push(event)).id);
    };
    await push(0, 20);
    await pair.caughtUp();
    pair.lag();
    await push(20, 50);
    await queue.push(50, { id: "fifty" });
    await queue.push(51, { delay: "1h", id: "later" });
    const worked = queue.consume(() => new Promise(() => {}), { concurrency: 1 });
    await worked.stop({ timeout: "1ms" });
    await pair.failOver();
    await queue.push(52);
    await vi.waitFor(async () => {
      await queue.stats().catch(() => {});
      expect(repaired).toHaveBeenCalled();
    }, patiently);
    await vi.waitFor(() => expect(queue.pending).toBe(0), patiently);
    const got = new Map<number, number>();
    const seen = new Set<string>();
    for (;;) {
      const leases = await queue.pull({ max: 100 });
      if (leases.length === 0) break;
      for (const { event, id } of leases) {
        got.set(event, (got.get(event) ?? 0) + 1);
        seen.add(id);
      }
      await Promise.all(leases.map((lease) => lease.ack()));
    }
    for (let event = 0; event <= 50; event++) expect(got.get(event)).toBeGreaterThanOrEqual(1);
    expect(got.get(52)).toBeGreaterThanOrEqual(1);
    expect(ids.every((id) => seen.has(id))).toBe(true);
    expect((await queue.stats()).delayed).toBe(1);
    expect(await queue.push(50, { id: "fifty" })).toEqual({ id: "fifty", duplicate: true });
  });

  it("notices another server even if no call fails", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    try {
      const { pair, queue, repaired } = await start();
      await queue.push(0);
      await pair.caughtUp();
      pair.lag();
      for (let event = 1; event <= 120; event++) await queue.push(event);
      await pair.failOver();
      await vi.waitFor(async () => {
        await vi.advanceTimersByTimeAsync(1_000);
        expect(repaired).toHaveBeenCalledWith(120);
        // A call's deadline is over after five of these: the server needs some time of its own to answer in.
      }, slowly);
      expect((await queue.stats()).depth).toBe(121);
    } finally {
      vi.useRealTimers();
    }
  });

  it("checks for another server once more when it closes", async () => {
    const { pair, queue, repaired } = await start();
    await queue.push(0);
    await pair.caughtUp();
    pair.lag();
    for (let event = 1; event <= 120; event++) await queue.push(event);
    await pair.failOver();
    await queue.close();
    expect(repaired).toHaveBeenCalledWith(120);
    const later = opened(new FederationQueue<number>({ transport: await pair.connect(way) }));
    expect((await later.stats()).depth).toBe(121);
  });
});
