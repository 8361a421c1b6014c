import { runScript } from "@continuum-cache/core";
import { describe, expect, it, vi } from "vitest";
import type { FederationQueue } from "../../src/queue/federation-queue.ts";
import { createQueueKeys } from "../../src/queue/queue-keys.ts";
import { tendScript } from "../../src/queue/tend-script.ts";
import { closing, queuesOn, servers } from "./backends.ts";

// What Upstash bills: each command, those that a script runs included.

const opened = closing();
/** Connecting and asking for statistics is not billed, or not ours. */
const isFree = (name: string): boolean => /^(config\||info$|ping$|client\||hello$|auth$|select$|script\|)/.test(name);
const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
/** However long a test takes on a slow machine. */
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

  /** From one process to another, so many at once. */
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
    "bills at most $most commands for a message that is pushed, pulled and acked at batch $batch",
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
      // On a slow machine more rings go alone (20 ms apart), and streams that were empty are asked again (250 ms).
      const late = Math.min(times, tookMs / 20) + 3 * (tookMs / 250);
      expect(total(counts)).toBeLessThanOrEqual(Math.max(most * batch * times, (most - 1) * batch * times + late));
    },
  );

  it.each([
    { batch: 1, most: 4 },
    { batch: 10, most: 1.5 },
    { batch: 50, most: 1.2 },
  ])(
    "bills at most $most commands for a message that a worker does, pushed at batch $batch with a rest in between",
    async ({ batch, most }) => {
      const { billed, open } = await start();
      // Nothing is looked after, or looked for, in the meantime.
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
      // What this test itself asks.
      for (const own of ["time", "zcard", "xlen", "xinfo|groups", "xrange", "xpending"]) delete counts[own];
      // Many pushes are one script.
      const scripts = batch > 1 ? { eval: times } : {};
      expect(counts).toEqual({ xadd: times * batch, publish: times, xreadgroup: times, xack: times, ...scripts });
      const perMessage = total(counts) / (batch * times);
      console.log(`${backend.name}, consumed, batch ${batch}: ${perMessage.toFixed(3)} commands a message`, counts);
      expect(perMessage).toBeLessThanOrEqual(most);
    },
  );

  it("bills 7 commands when the queue is looked after, and 5 more when it is swept", async () => {
    const { billed, open, connect, prefix, redis } = await start();
    const queue = open();
    await queue.push(1);
    await Promise.all((await queue.pull()).map((lease) => lease.ack()));
    // That there is work, and, a few milliseconds later, that somebody has looked after the queue.
    await expect.poll(() => redis?.commandStats()).toMatchObject({ publish: 2 });
    const { delayed, dead, sources, priorities } = createQueueKeys(prefix, ["high", "normal", "low"]);
    const keys = [delayed, dead, ...sources.map(({ key }) => key)];
    const transport = connect();
    const tend = (keptMs: number | "") => () =>
      runScript(transport, tendScript, keys, [30_000, 20, 86_400_000, keptMs, 100, ...priorities]);
    await tend("")();
    const light = { evalsha: 1, time: 1, zrange: 1, "xinfo|groups": 4 };
    expect(await billed(tend(""))).toEqual(light);
    expect(await billed(tend(60_000))).toEqual({ ...light, xtrim: 5 });
  });

  it("bills an idle worker one command in each poll, and little else", async () => {
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
    // Once in ten polls the queue is looked after, swept, and the others are told.
    expect(others["evalsha"] ?? 0).toBeLessThanOrEqual(2);
    expect(total(others)).toBeLessThanOrEqual(2 * (12 + 1));
  });
});
