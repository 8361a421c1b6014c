import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { FederationQueue } from "@continuum-cache/federation-queue";
import { afflict } from "../faults/nemesis.ts";
import { startCast } from "../fleet/cast.ts";
import { readRecords } from "../fleet/record-file.ts";
import { createWorkerPool, endWorkers, type Worker, type WorkerPool } from "../fleet/worker-pool.ts";
import { connectTo } from "../site/connect.ts";
import { openSite, type Site } from "../site/site.ts";
import { checkHistory, type Verdict } from "./check-history.ts";
import { readLedger } from "./ledger.ts";
import type { MessageData } from "./message.ts";
import type { Plan } from "./plan.ts";
import type { LeftRecord, QueueRecord } from "./record.ts";
import type { QueueNote, QueueTask } from "./tasks.ts";

export type QueuePool = WorkerPool<QueueTask, QueueNote>;
export const createQueuePool = (): QueuePool =>
  createWorkerPool<QueueTask, QueueNote>(join(import.meta.dirname, "worker-process"));

type QueueWorker = Worker<QueueTask, QueueNote>;

/** One history: its plan, everything that was recorded, and what the checker says of it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly QueueRecord[];
  readonly verdict: Verdict;
}

/** So long everything has to end that was told to. */
const endMs = 40_000;

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: QueuePool, folder: string): Promise<HistoryRun> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const own: QueueRecord[] = [];
  const files: string[] = [];
  const trouble = (process: string, what: string): void => void own.push({ kind: "trouble", process, what });
  const { setup, terms } = plan;
  const site = await openSite(plan.way, plan.durability);
  const ledger = await startRedisServer();

  const begin = async (place: string, process: string, nth: number): Promise<QueueWorker> => {
    const worker = await pool.take();
    const file = join(folder, `${files.length}-${process}.jsonl`);
    // Who is killed at once leaves an empty one.
    writeFileSync(file, "");
    files.push(file);
    const what = plan.places[place];
    if (!what) throw new Error(`Expected a plan for ${place}, got none`);
    const seed = plan.seed * 100 + nth;
    if (what.kind === "produce") {
      worker.start({ ...what, process, file, setup, seed, address: site.doors.a.address });
    } else {
      worker.start({ ...what, process, file, setup, seed, address: site.doors.b.address, ledgerUrl: ledger.url });
    }
    return worker;
  };

  try {
    const cast = await startCast(Object.keys(plan.places), begin);
    await afflict({
      site,
      steps: plan.faults,
      isForgetful: plan.durability === "everysec",
      victims: cast.victims,
      tell: (fault) => void own.push(fault),
    });
    const producers = cast.workersOf("producer");
    const all = async (kind: "drain" | "flood", told: string): Promise<void> => {
      for (const worker of producers) worker.tell({ kind });
      const isTold = await Promise.all(producers.map((worker) => worker.until(told, endMs)));
      if (isTold.includes(false)) trouble("producer", `was never ${told}`);
    };
    await all("drain", "drained");
    // What went wrong before is no excuse for what comes now.
    await sleep(1.5 * terms.leaseMs + terms.slackMs + 100);
    await all("flood", "flooded");
    const end = (workers: readonly QueueWorker[]): Promise<void> =>
      endWorkers(workers, pool, { kind: "stop" }, endMs, (what) => trouble("a process", what));
    // A producer may find as it closes that the server is another one, and push again.
    await end(producers);
    own.push(...(await lookAt(site, plan)));
    await end(cast.workersOf("consumer"));
    own.push(...(await readLedger(ledger.url)));
  } finally {
    await site.close();
    await ledger.close();
  }
  const records = [...files.flatMap((file) => readRecords<QueueRecord>(file)), ...own];
  return { plan, records, verdict: checkHistory(records, terms) };
}

/** Waits until everything is worked on, if that ever comes, and reads what is left and what is dead. */
async function lookAt({ direct, servers }: Site, { setup }: Plan): Promise<QueueRecord[]> {
  const transport = connectTo(direct, setup.timeoutMs);
  const queue = new FederationQueue<MessageData>({ transport }, { visibilityTimeout: `${setup.leaseMs}ms` });
  const look = async (): Promise<LeftRecord> => {
    const { depth, inFlight, delayed } = await queue.stats();
    return { kind: "left", depth, inFlight, delayed };
  };
  try {
    const endsMs = performance.now() + endMs;
    let left = await look();
    // One look is no snapshot: what is moved meanwhile may be seen nowhere.
    for (let empty = 0; empty < 5 && performance.now() < endsMs; ) {
      await sleep(50);
      left = await look();
      empty = left.depth + left.inFlight + left.delayed === 0 ? empty + 1 : 0;
    }
    const dead = await queue.dead({ max: 10_000 });
    const letters = dead.map(
      ({ id, event, reason, failures, crashes }): QueueRecord => ({
        kind: "dead",
        id: event?.name ?? id,
        reason,
        failures,
        crashes,
      }),
    );
    const isLeft = left.depth + left.inFlight + left.delayed > 0;
    return [{ ...left, ...(isLeft && { streams: await streamsOn(servers.primary) }) }, ...letters];
  } finally {
    await queue.close();
    await transport.close();
  }
}

/** The streams as the server tells of them, for who looks into it. */
async function streamsOn(redis: RedisServer): Promise<Record<string, unknown>> {
  const keys = (await redis.command("KEYS", "fed:queue:*")) as readonly string[];
  const streams: Record<string, unknown> = {};
  for (const key of keys.filter((name) => /:(again|high|normal|low)$/.test(name))) {
    const [stream, entries] = [
      await redis.command("XINFO", "STREAM", key),
      await redis.command("XRANGE", key, "-", "+"),
    ];
    streams[key] = {
      stream,
      groups: await redis.command("XINFO", "GROUPS", key),
      last: (entries as readonly unknown[]).slice(-5),
    };
  }
  return streams;
}
