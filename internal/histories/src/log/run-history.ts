import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afflict } from "../faults/nemesis.ts";
import { startCast } from "../fleet/cast.ts";
import { readRecords } from "../fleet/record-file.ts";
import { createWorkerPool, endWorkers, type WorkerPool } from "../fleet/worker-pool.ts";
import { openSite } from "../site/site.ts";
import { checkHistory, type Verdict } from "./check-history.ts";
import type { Plan } from "./plan.ts";
import type { LogRecord } from "./record.ts";
import type { LogNote, LogTask } from "./tasks.ts";

export type LogPool = WorkerPool<LogTask, LogNote>;

export const createLogPool = (): LogPool =>
  createWorkerPool<LogTask, LogNote>(join(import.meta.dirname, "worker-process"));

/** One history: its plan, everything that was recorded, and what the checker says of it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly LogRecord[];
  readonly verdict: Verdict;
}

/** So long everything has to end that was told to. */
const endMs = 40_000;

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: LogPool, folder: string): Promise<HistoryRun> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const own: LogRecord[] = [];
  const files: string[] = [];
  const trouble = (process: string, what: string): void => void own.push({ kind: "trouble", process, what });
  const { setup, members } = plan;
  const site = await openSite(plan.way, plan.durability);
  try {
    const cast = await startCast<LogTask, LogNote>(members, async (place, process, nth) => {
      const worker = await pool.take();
      const file = join(folder, `${files.length}-${process}.jsonl`);
      // Who is killed at once leaves an empty one.
      writeFileSync(file, "");
      files.push(file);
      const { address } = members.indexOf(place) % 2 === 0 ? site.doors.a : site.doors.b;
      const perSecond = plan.perSecond / members.length;
      worker.start({ process, file, instanceId: place, address, setup, perSecond, seed: plan.seed * 100 + nth });
      return worker;
    });
    await afflict({
      site,
      steps: plan.faults,
      isForgetful: plan.durability === "everysec",
      victims: cast.victims,
      tell: (fault) => void own.push(fault),
    });
    const workers = cast.workersOf("member");
    for (const [kind, told] of [
      ["drain", "drained"],
      ["catch-up", "caught-up"],
    ] as const) {
      for (const worker of workers) worker.tell({ kind });
      const isTold = await Promise.all(workers.map((worker) => worker.until(told, endMs)));
      if (isTold.includes(false)) trouble("a member", `was never ${told}`);
    }
    await endWorkers(workers, pool, { kind: "stop" }, endMs, (what) => trouble("a member", what));
  } finally {
    await site.close();
  }
  const records = [...files.flatMap((file) => readRecords<LogRecord>(file)), ...own];
  return { plan, records, verdict: checkHistory(records, plan.terms) };
}
