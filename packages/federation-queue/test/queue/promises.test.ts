import { createHook } from "node:async_hooks";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { closing } from "./backends.ts";

// What is done once for many messages shows in how many promises there are. The memory transport's own are among them.

const opened = closing();

const promisesOf = async (work: () => Promise<unknown>): Promise<number> => {
  await work();
  let count = 0;
  const hook = createHook({
    init(_, type) {
      if (type === "PROMISE") count++;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
};
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

it("creates few promises for a push, and few more for others of the same tick", async () => {
  const queue = opened(new FederationQueue<number>({ transport: opened(memoryTransport()) }));
  expect(await promisesOf(() => queue.push(1))).toBeLessThanOrEqual(26);
  expect(await promisesOf(() => Promise.all(numbers(64).map((event) => queue.push(event))))).toBeLessThanOrEqual(
    4 * 64,
  );
  const messages = numbers(100).map((event) => ({ event }));
  expect(await promisesOf(() => queue.pushMany(messages))).toBeLessThanOrEqual(100);
});

it("creates few promises for each message that a worker handles", async () => {
  const queue = opened(new FederationQueue<number>({ transport: opened(memoryTransport()) }));
  let done = 0;
  queue.consume(() => void done++, { concurrency: 50 });
  const work = async (): Promise<void> => {
    done = 0;
    await queue.pushMany(numbers(200).map((event) => ({ event })));
    await vi.waitFor(() => expect(done).toBe(200), { timeout: 60_000, interval: 50 });
    await vi.waitFor(async () => expect((await queue.stats()).inFlight).toBe(0), { timeout: 60_000, interval: 50 });
  };
  expect(await promisesOf(work)).toBeLessThanOrEqual(8 * 200);
});
