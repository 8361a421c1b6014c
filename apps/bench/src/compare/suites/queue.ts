import type { FederationQueue } from "@continuum-cache/federation-queue";
import { commands, cpu, perSecond } from "../columns.ts";
import { inFlight, prepared } from "../measures.ts";
import { timeout } from "../patience.ts";
import type { Contender, Opened, Suite } from "../suite.ts";

interface Job {
  readonly id: number;
  readonly text: string;
}

/** A queue, and a second one that is worked on. */
interface WorkQueue {
  push(job: Job): Promise<unknown>;
  pushMany(jobs: readonly Job[]): Promise<unknown>;
  fill(jobs: readonly Job[]): Promise<unknown>;
  /** Makes a worker ready. `run` resolves when so many messages are done, and Redis has been told. */
  worker(count: number): Promise<{ run(): Promise<unknown>; end(): Promise<unknown> }>;
  close(): Promise<unknown>;
}

const push = "push, 64 in flight";
const pushMany = "push of 100 at once";
const work = "process, concurrency 50";
const concurrency = 50;

let jobs = 0;
const job = (): Job => ({ id: jobs++, text: "x".repeat(100) });
const list = (length: number): Job[] => Array.from({ length }, job);

function opened(queue: WorkQueue, scale: number): Opened {
  const count = Math.ceil(5_000 * scale);
  return {
    measures: {
      [push]: inFlight(64, () => queue.push(job())),
      [pushMany]: inFlight(1, () => queue.pushMany(list(100)), { operations: 100 }),
      [work]: prepared(async () => {
        await queue.fill(list(count));
        const worker = await queue.worker(count);
        return {
          async run() {
            await worker.run();
            return count;
          },
          async end() {
            await worker.end();
            return undefined;
          },
        };
      }),
    },
    close: () => queue.close(),
  };
}

/** Resolves when it has been called so many times. */
function countdown(count: number): { readonly done: Promise<void>; readonly step: () => void } {
  let left = count;
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const step = (): void => {
    left--;
    if (left === 0) finish();
  };
  return { done, step };
}

/** @param worked - The queue that is worked on. */
const ours = (
  pushed: FederationQueue<Job>,
  worked: FederationQueue<Job>,
  close: () => Promise<unknown>,
): WorkQueue => ({
  push: (each) => pushed.push(each),
  pushMany: (each) => pushed.pushMany(each.map((event) => ({ event }))),
  fill: (each) => worked.pushMany(each.map((event) => ({ event }))),
  async worker(count) {
    const { done, step } = countdown(count);
    return {
      async run() {
        const worker = worked.consume(step, { concurrency });
        await done;
        await worker.stop();
      },
      end: async () => {},
    };
  },
  async close() {
    await Promise.all([pushed.close(), worked.close()]);
    await close();
  },
});

const bullMq: Contender = {
  name: "BullMQ",
  kind: "BullMQ",
  async open({ redisUrl, scale }) {
    const { Queue, Worker } = await import("bullmq");
    const { hostname, port } = new URL(redisUrl);
    const connection = { host: hostname, port: Number(port) };
    // What is done is removed, as ours is.
    const options = { connection, defaultJobOptions: { removeOnComplete: true } };
    const [pushed, worked] = [new Queue<Job>("pushed", options), new Queue<Job>("worked", options)];
    await Promise.all([pushed.waitUntilReady(), worked.waitUntilReady()]);
    const bulk = (each: readonly Job[]) => each.map((data) => ({ name: "job", data }));
    return opened(
      {
        push: (each) => pushed.add("job", each),
        pushMany: (each) => pushed.addBulk(bulk(each)),
        fill: (each) => worked.addBulk(bulk(each)),
        async worker(count) {
          const { done, step } = countdown(count);
          const worker = new Worker<Job>("worked", async () => {}, { connection, concurrency, autorun: false });
          worker.on("error", (error) => console.error(error));
          worker.on("completed", step);
          await worker.waitUntilReady();
          return {
            run() {
              void worker.run();
              return done;
            },
            end: () => worker.close(),
          };
        },
        close: () => Promise.all([pushed.close(), worked.close()]),
      },
      scale,
    );
  },
};

/** The work queue. */
export const queue: Suite = {
  name: "queue",
  title: "Queue",
  about:
    "Messages of 100 characters, pushed one by one and 100 in a call; and 5,000 that wait, worked on by " +
    "handlers that return at once, until the last one is acknowledged. BullMQ removes finished jobs, as " +
    "ours does.",
  servers: "redis",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: [push, pushMany, work],
  contenders: [
    {
      name: "FederationQueue on UpstashCache",
      kind: "ours",
      async open({ redisUrl, scale }) {
        const { FederationQueue } = await import("@continuum-cache/federation-queue");
        const { UpstashCache } = await import("continuum-cache");
        const cache = new UpstashCache({ url: redisUrl, timeout });
        const [pushed, worked] = [
          new FederationQueue<Job>(cache, { timeout }),
          new FederationQueue<Job>(cache, { prefix: "worked", timeout }),
        ];
        return opened(
          ours(pushed, worked, () => cache.close()),
          scale,
        );
      },
    },
    {
      name: "FederationQueue on tcpTransport",
      kind: "ours",
      async open({ redisUrl, scale }) {
        const { FederationQueue } = await import("@continuum-cache/federation-queue");
        const { tcpTransport } = await import("@continuum-cache/transport-tcp");
        const transport = tcpTransport({ url: redisUrl, timeout });
        const queueOf = (prefix: string) => new FederationQueue<Job>({ transport }, { prefix, timeout });
        return opened(
          ours(queueOf("bare-pushed"), queueOf("bare-worked"), () => transport.close()),
          scale,
        );
      },
    },
    bullMq,
  ],
};
