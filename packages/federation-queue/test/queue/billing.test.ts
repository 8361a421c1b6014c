import { runScript } from "@continuum-cache/core/kit";
import { describe, expect, it, vi } from "vitest";
import type { FederationQueue } from "../../src/queue/federation-queue.ts";
import { maintenanceScript } from "../../src/queue/maintenance-script.ts";
import { createQueueKeys } from "../../src/queue/settings.ts";
import { closing, queuesOn, servers } from "./backends.ts";

// What Upstash bills: each command, including those of scripts.

const opened = closing();
/** Connecting and reading statistics is not billed, or not part of the queue. */
const isFree = (name: string): boolean => /^(config\||info$|ping$|client\||hello$|auth$|select$|script\|)/.test(name);
const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
/** Polls and maintenance stay away, even on a slow machine. */
const unhurried = { pollInterval: "10m", visibilityTimeout: "10m" } as const;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(servers)("over $name", (backend) => {
  const start = async () => {
    const queues = await queuesOn<number>(backend, opened);
    const { redis } = queues;
    if (!redis) throw new Error("Expected a server that counts");
    const billed = async (work: () => Promise<unknown>) => {
      await redis.resetStats();
      await work();
      return Object.fromEntries(Object.entries(await redis.commandStats()).filter(([name]) => !isFree(name)));
    };
    return { ...queues, billed };
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, event) => ({ event }));

  /** Passes messages from one process to another, in batches. */
  const pass = async (from: FederationQueue<number>, to: FederationQueue<number>, batch: number, times: number) => {
    for (let time = 0; time < times; time++) {
      if (batch === 1) await from.push(time);
      else await from.pushMany(numbers(batch));
      const leases = await to.pull({ max: batch });
      expect(leases.length).toBe(batch);
      await Promise.all(leases.map((lease) => lease.ack()));
    }
  };

  it.each([
    { batch: 1, most: 4 },
    { batch: 10, most: 1.5 },
    { batch: 50, most: 1.2 },
  ])(
    "bills at most $most commands for a message that is pushed, pulled and acked, at batch $batch",
    async ({ batch, most }) => {
      const { billed, open } = await start();
      const [here, there] = [open(), open()];
      await pass(here, there, batch, 3);
      const times = batch === 50 ? 20 : 60;
      const beganMs = performance.now();
      const counts = await billed(() => pass(here, there, batch, times));
      const tookMs = performance.now() - beganMs;
      const perMessage = total(counts) / (batch * times);
      console.log(`${backend.name}, pulled, batch ${batch}: ${perMessage.toFixed(3)} commands a message`, counts);
      // On a slow machine more notifications are sent (20 ms apart), and empty streams are asked again (250 ms).
      const late = Math.min(times, tookMs / 20) + 3 * (tookMs / 250);
      expect(total(counts)).toBeLessThanOrEqual(Math.max(most * batch * times, (most - 1) * batch * times + late));
    },
  );

  it.each([
    { batch: 1, most: 4 },
    { batch: 10, most: 1.5 },
    { batch: 50, most: 1.2 },
  ])(
    "bills at most $most commands for a message that a worker handles, pushed at batch $batch with pauses",
    async ({ batch, most }) => {
      const { billed, open } = await start();
      // Without maintenance and polls in between.
      const [here, there] = [open(unhurried), open(unhurried)];
      let done = 0;
      there.consume(() => void done++, { concurrency: 50 });
      const times = 12;
      const run = async (count: number): Promise<void> => {
        const before = done;
        for (let time = 1; time <= count; time++) {
          await here.pushMany(numbers(batch));
          await vi.waitFor(() => expect(done - before).toBe(time * batch), { timeout: 60_000, interval: 5 });
          await vi.waitFor(async () => expect((await there.stats()).inFlight).toBe(0), {
            timeout: 60_000,
            interval: 20,
          });
        }
      };
      await run(3);
      const counts = await billed(() => run(times));
      // The commands of this test.
      for (const own of ["time", "zcard", "xlen", "xinfo|groups", "xrange", "xpending"]) delete counts[own];
      // Many pushes are one script.
      const scripts = batch > 1 ? { eval: times } : {};
      expect(counts).toEqual({ xadd: times * batch, publish: times, xreadgroup: times, xack: times, ...scripts });
      const perMessage = total(counts) / (batch * times);
      console.log(`${backend.name}, consumed, batch ${batch}: ${perMessage.toFixed(3)} commands a message`, counts);
      expect(perMessage).toBeLessThanOrEqual(most);
    },
  );

  it("bills 7 commands for maintenance, and 5 more when it trims", async () => {
    const { billed, open, connect, prefix, redis } = await start();
    const queue = open();
    await queue.push(1);
    await Promise.all((await queue.pull()).map((lease) => lease.ack()));
    // One notification for the message and, some milliseconds later, one for the maintenance.
    await expect.poll(() => redis?.commandStats()).toMatchObject({ publish: 2 });
    const { delayed, dead, streams, priorities } = createQueueKeys(prefix, ["high", "normal", "low"]);
    const keys = [delayed, dead, ...streams.map(({ key }) => key)];
    const transport = connect();
    const maintain = (keptMs: number | "") => () =>
      runScript(transport, maintenanceScript, keys, [30_000, 20, 86_400_000, keptMs, 100, ...priorities]);
    await maintain("")();
    const light = { evalsha: 1, time: 1, zrange: 1, "xinfo|groups": 4 };
    expect(await billed(maintain(""))).toEqual(light);
    expect(await billed(maintain(60_000))).toEqual({ ...light, xtrim: 5 });
  });

  it("bills an idle worker one command per poll, and few others", async () => {
    const { billed, open } = await start();
    const queue = open({ pollInterval: "400ms", visibilityTimeout: "300ms" });
    queue.consume(() => {}, { concurrency: 16 });
    await sleep(1_500);
    const beganMs = performance.now();
    const counts = await billed(() => sleep(3_000));
    const polls = (performance.now() - beganMs) / 400;
    const { xreadgroup = 0, ...others } = counts;
    expect(xreadgroup).toBeGreaterThan(0);
    expect(xreadgroup).toBeLessThanOrEqual(Math.ceil(polls / 0.8) + 1);
    // Once in ten polls maintenance runs, trims and sends a notification.
    expect(others["evalsha"] ?? 0).toBeLessThanOrEqual(2);
    expect(total(others)).toBeLessThanOrEqual(2 * (12 + 1));
  });
});
