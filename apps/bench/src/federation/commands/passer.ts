import type { Transport } from "@continuum-cache/core";
import { FederationQueue } from "@continuum-cache/federation-queue";
import { type ConnectionOptions, Queue, Worker } from "bullmq";

/** A queue and a worker on it, in one process. */
export interface Passer {
  readonly title: string;
  /** Pushes so many messages at once, and resolves when all handlers have run; the server is told right behind them. */
  pass(batch: number): Promise<void>;
  close(): Promise<void>;
}

interface Job {
  readonly id: number;
  readonly text: string;
}

const concurrency = 50;
const text = "x".repeat(100);

/** Calls back when a job is done. */
function createDone() {
  const waiting = new Map<number, () => void>();
  let count = 0;
  return {
    jobs(batch: number): { readonly jobs: readonly Job[]; readonly done: Promise<unknown> } {
      const jobs = Array.from({ length: batch }, () => ({ id: count++, text }));
      return {
        jobs,
        done: Promise.all(jobs.map(({ id }) => new Promise<void>((resolve) => waiting.set(id, resolve)))),
      };
    },
    isDone(id: number) {
      waiting.get(id)?.();
      waiting.delete(id);
    },
  };
}

/** @param open - Each call makes a connection of its own, as two processes have. */
export function startOurs(title: string, open: () => Transport): Passer {
  const [here, there] = [open(), open()];
  const queue = new FederationQueue<Job>({ transport: here });
  const other = new FederationQueue<Job>({ transport: there });
  const { jobs, isDone } = createDone();
  // Returning acks.
  other.consume(({ id }) => isDone(id), { concurrency });
  return {
    title,
    async pass(batch) {
      const { jobs: made, done } = jobs(batch);
      const [first] = made;
      if (batch === 1 && first) await queue.push(first);
      else await queue.pushMany(made.map((event) => ({ event })));
      await done;
    },
    async close() {
      await queue.close();
      await other.close();
      await Promise.all([here.close(), there.close()]);
    },
  };
}

export async function startBullMq(connection: ConnectionOptions): Promise<Passer> {
  const name = "messages";
  // What is done is removed, as ours is.
  const queue = new Queue<Job>(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  const { jobs, isDone } = createDone();
  const worker = new Worker<Job>(name, async ({ data }) => isDone(data.id), { connection, concurrency });
  worker.on("error", (error) => console.error(error));
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return {
    title: "BullMQ",
    async pass(batch) {
      const { jobs: made, done } = jobs(batch);
      const [first] = made;
      if (batch === 1 && first) await queue.add(name, first);
      else await queue.addBulk(made.map((data) => ({ name, data })));
      await done;
    },
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}
