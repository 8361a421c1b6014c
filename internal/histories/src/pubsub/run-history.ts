import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readRecords } from "../fleet/record-file.ts";
import { endWorkers } from "../fleet/worker-pool.ts";
import { checkHistory, type Verdict } from "./check-history.ts";
import { afflict, type Victims } from "./nemesis.ts";
import type { Plan, SubscriberPlan } from "./plan.ts";
import type { Pool, Worker } from "./pool.ts";
import type { FaultRecord, PubSubRecord } from "./record.ts";
import { resumed } from "./resumed.ts";
import { openSite } from "./site.ts";
import type { PublishTask, SubscribeTask } from "./tasks.ts";

/** One history: its plan, everything that was recorded, and what the checker says of it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly PubSubRecord[];
  readonly verdict: Verdict;
}

const settings = { timeoutMs: 1_000, watchdogMs: 1_000, probeTimeoutMs: 500, maxReconnectWaitMs: 500 } as const;
/**
 * After the last fault a subscriber hears again within this: a silent stream is noticed by the watchdog and one probe, one
 * more attempt to connect may run into its timeout, and then there are the waits; the rest is for a busy machine.
 */
const livenessMs =
  settings.watchdogMs * 1.1 +
  settings.probeTimeoutMs * 2 +
  settings.timeoutMs * 2 +
  settings.maxReconnectWaitMs * 2 +
  4_000;
/** So long everything has to end that was told to. */
const endMs = 20_000;

interface Listener {
  readonly plan: SubscriberPlan;
  readonly task: SubscribeTask;
  readonly worker: Worker;
}

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: Pool, folder: string): Promise<HistoryRun> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const own: PubSubRecord[] = [];
  const files: string[] = [];
  const fileOf = (name: string): string => {
    const file = join(folder, `${files.length}-${name}.jsonl`);
    files.push(file);
    return file;
  };
  const site = await openSite(plan.way, plan.durability);
  const common = { settings: { ...settings, hasFallback: plan.hasFallback } };
  const listeners = new Map<string, Listener>();
  const publishers: Worker[] = [];
  const beganMs = Date.now();

  const listen = async (one: SubscriberPlan): Promise<Listener> => {
    const worker = await pool.take();
    const address = one.isDirect ? site.direct : site.subscribers.address;
    const { process, subscriptions } = one;
    const file = fileOf(process);
    const { contender } = plan;
    const task: SubscribeTask = { kind: "subscribe", ...common, process, file, address, contender, subscriptions };
    worker.start(task);
    const listener = { plan: one, task, worker };
    listeners.set(process, listener);
    return listener;
  };
  const victims: Victims = {
    freeze: (process) => listeners.get(process)?.worker.freeze(),
    thaw: (process) => listeners.get(process)?.worker.thaw(),
    async replace(process) {
      const victim = listeners.get(process);
      if (!victim) return;
      await victim.worker.kill();
      const { ended, next } = resumed(
        victim.plan,
        readRecords<PubSubRecord>(victim.task.file),
        Date.now() - beganMs,
        files.length,
      );
      own.push(...ended);
      await listen(next);
    },
  };
  const tell = (fault: FaultRecord): void => void own.push(fault);
  const trouble = (process: string, what: string): void => void own.push({ kind: "trouble", process, what });

  try {
    // Processes start slowly: all at once.
    const started = Promise.all(plan.publishers.map(() => pool.take()));
    await Promise.all(plan.subscribers.map(listen));
    publishers.push(...(await started));
    for (const { worker, plan } of listeners.values()) {
      if (!(await worker.until("opened", endMs))) trouble(plan.process, "did not open what it was to listen to");
    }
    for (const [at, { process, lanes }] of plan.publishers.entries()) {
      const { address } = site.publishers;
      const task: PublishTask = {
        kind: "publish",
        ...common,
        process,
        file: fileOf(process),
        address,
        seed: plan.seed + at,
        lanes,
      };
      publishers[at]?.start(task);
    }
    await afflict(site, plan.durability, plan.faults, victims, tell);
    const healedMs = Date.now();
    tell({ kind: "fault", name: "the last one", startMs: healedMs, endMs: healedMs });
    for (const { worker } of listeners.values()) worker.tell({ kind: "healed", atMs: healedMs });
    // Whoever does not hear again is found by the checker; those who wait for it only wait.
    await Promise.all([...listeners.values()].map(({ worker }) => worker.until("fresh", livenessMs + 2_000)));
    await endWorkers(publishers, pool, { kind: "stop" }, endMs, (what) => trouble("publisher", what));
    const ears = [...listeners.values()].map(({ worker }) => worker);
    await endWorkers(ears, pool, { kind: "stop" }, endMs, (what) => trouble("subscriber", what));
  } finally {
    await site.close();
  }
  const records = [...files.flatMap((file) => readRecords<PubSubRecord>(file)), ...own];
  return { plan, records, verdict: checkHistory(records, { publishMs: settings.timeoutMs, livenessMs }) };
}
