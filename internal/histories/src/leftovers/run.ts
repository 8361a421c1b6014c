import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { FederationQueue } from "@continuum-cache/federation-queue";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Way } from "../faults/fault-plan.ts";
import { createWorkerPool, type Worker } from "../fleet/worker-pool.ts";
import { connectTo } from "../site/connect.ts";
import type { Address } from "../site/site.ts";
import { countLeftovers, type Leftovers } from "./count-keys.ts";
import { type LeftoverNote, type LeftoverTask, queueOptions } from "./tasks.ts";

export interface LeftoversOptions {
  readonly way: Way;
  readonly messages: number;
  readonly restarts: number;
  /** So often everything is counted, once all is done and quiet. */
  readonly counts: number;
}

/** What was there after so many messages and restarts. */
export interface LeftoversRow extends Leftovers {
  readonly messages: number;
  readonly restarts: number;
}

type LeftoverWorker = Worker<LeftoverTask, LeftoverNote>;

const places = 3;
const batch = 100;
const patienceMs = 60_000;
/** However many messages and restarts there were, there is no more than this. */
const most: Leftovers = {
  // The queue's streams, its delayed and its dead messages; the log's registry, and a stream and a position for each instance.
  keys: 4 + 2 + 1 + 2 * places,
  groups: 4,
  consumers: 4 * places,
  // What the last batches left until their time is over.
  entries: 10,
};

/** Pushes messages while workers are killed and closed in turns, and counts what is left over, again and again. */
export async function runLeftovers({ way, messages, restarts, counts }: LeftoversOptions): Promise<LeftoversRow[]> {
  const redis = await startRedisServer();
  const token = "bench";
  const gateway = way === "rest" ? await startUpstashLocal({ port: 0, token, redisUrl: redis.url }) : undefined;
  const address: Address = { url: redis.url, ...(gateway && { rest: { url: gateway.url, token } }) };
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-leftovers-"));
  const pool = createWorkerPool<LeftoverTask, LeftoverNote>(join(import.meta.dirname, "worker-process"));
  const transport = connectTo(address, 2_000);
  const queue = new FederationQueue<number>({ transport }, queueOptions);
  const workers: LeftoverWorker[] = [];
  const rows: LeftoversRow[] = [];
  let pushed = 0;
  let restarted = 0;

  const start = async (place: number): Promise<void> => {
    const worker = await pool.take();
    const instanceId = `place-${place}`;
    worker.start({ process: instanceId, file: join(folder, `${instanceId}.jsonl`), address, instanceId });
    if (!(await worker.until("consuming", patienceMs))) throw new Error("Expected a worker to begin, and it did not");
    workers[place] = worker;
  };
  const restart = async (): Promise<void> => {
    const place = restarted % places;
    const worker = workers[place] as LeftoverWorker;
    if (restarted % 2 === 0) await worker.kill();
    else {
      worker.tell({ kind: "stop" });
      if (!(await worker.until("done", patienceMs))) throw new Error("Expected a worker to end, and it did not");
      pool.giveBack(worker);
    }
    restarted++;
    await start(place);
  };
  const push = async (count: number): Promise<void> => {
    const events = Array.from({ length: count }, () => ({ event: pushed++ }));
    for (const one of await queue.pushMany(events)) {
      if (one.pending) throw new Error("Expected the server to answer, and it did not");
    }
  };
  /** What waits is bounded: workers are away now and then. */
  const room = async (bound: number): Promise<void> => {
    const endsMs = performance.now() + patienceMs;
    for (;;) {
      const { depth, inFlight, delayed } = await queue.stats();
      if (depth + inFlight + delayed <= bound) return;
      if (performance.now() > endsMs)
        throw new Error(`Expected the messages to be done, ${depth} wait and ${inFlight} are given out`);
      await sleep(20);
    }
  };
  const count = async (): Promise<void> => {
    await room(0);
    const endsMs = performance.now() + patienceMs;
    let found = await countLeftovers(redis);
    while (!isBounded(found) && performance.now() < endsMs) {
      await sleep(100);
      found = await countLeftovers(redis);
    }
    rows.push({ messages: pushed, restarts: restarted, ...found });
  };

  try {
    await Promise.all(Array.from({ length: places }, (_, place) => start(place)));
    for (let nth = 1; nth <= counts; nth++) {
      const [untilPushed, untilRestarted] = [(messages * nth) / counts, (restarts * nth) / counts];
      // Both at the same time: who is killed has something to lose.
      const pushing = (async () => {
        while (pushed < untilPushed) {
          await push(Math.min(batch, Math.ceil(untilPushed - pushed)));
          if (pushed % (10 * batch) === 0) await room(5 * batch);
        }
      })();
      const restarting = (async () => {
        while (restarted < untilRestarted) await restart();
      })();
      await Promise.all([pushing, restarting]);
      await count();
    }
    return rows;
  } finally {
    await pool.close();
    await queue.close();
    await transport.close();
    await gateway?.close();
    await redis.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether there is a constant number of everything. */
export function isBounded({ keys, groups, consumers, entries }: Leftovers): boolean {
  return keys <= most.keys && groups <= most.groups && consumers <= most.consumers && entries <= most.entries;
}

export function leftoversTable(rows: readonly LeftoversRow[]): string {
  return [
    "| messages | restarts | keys | groups | consumers | entries in the queue's streams |",
    "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(
      ({ messages, restarts, keys, groups, consumers, entries }) =>
        `| ${messages} | ${restarts} | ${keys} | ${groups} | ${consumers} | ${entries} |`,
    ),
  ].join("\n");
}
