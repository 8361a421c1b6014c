import { join } from "node:path";
import type { Finding } from "../checking/rules.ts";
import { readRecords } from "../fleet/record-file.ts";
import type { Member, TaskDetails } from "../fleet/team.ts";
import { createWorkerPool, type WorkerPool } from "../fleet/worker-pool.ts";
import { runFleetHistory } from "../run/fleet-history.ts";
import { checkHistory } from "./check-history.ts";
import type { Plan } from "./plan.ts";
import type { PubSubRecord } from "./record.ts";
import { endedWith, resumed } from "./resumed.ts";
import type { PubSubApi, PubSubTask, SubscribeTask } from "./tasks.ts";
import type { Violation } from "./violation.ts";

export type PubSubPool = WorkerPool<PubSubTask, PubSubApi>;
export const createPubSubPool = (): PubSubPool => createWorkerPool(join(import.meta.dirname, "worker-process"));

/** One history: its plan, everything that was recorded, and what the rules say about it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly PubSubRecord[];
  readonly verdict: Required<Finding<Violation>>;
}

const settings = { timeoutMs: 1_000, watchdogMs: 1_000, probeTimeoutMs: 500, maxReconnectWaitMs: 500 } as const;
/**
 * After the last fault a subscriber hears again within this: a silent stream is noticed by the watchdog and one
 * probe, one more attempt to connect may run into its timeout, and then there are the waits. The rest is for a busy
 * machine.
 */
const livenessMs =
  settings.watchdogMs * 1.1 +
  settings.probeTimeoutMs * 2 +
  settings.timeoutMs * 2 +
  settings.maxReconnectWaitMs * 2 +
  4_000;

/** Small nodes make trims nearly exact; a small output buffer is soon full. */
const args = ["stream-node-max-entries 10", "client-output-buffer-limit pubsub 1mb 512kb 1"];

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: PubSubPool, folder: string): Promise<HistoryRun> {
  const { way, durability, faults, contender, hasFallback, publishers, subscribers } = plan;
  const common = { settings: { ...settings, hasFallback } };
  const beganMs = Date.now();
  const ended: PubSubRecord[] = [];
  /** What the process that replaces a killed one listens to. */
  const goOn = ({ task }: Member<PubSubTask, PubSubApi>, nth: number) => {
    const seen = readRecords<PubSubRecord>(task.file);
    ended.push(...endedWith(seen, Date.now()));
    return resumed((task as SubscribeTask).subscriptions, seen, Date.now() - beganMs, nth);
  };
  const records = await runFleetHistory<PubSubTask, PubSubApi, PubSubRecord>({
    pool,
    folder,
    faults,
    site: { way, durability, args, hasStreams: true },
    taskOf({ doors, direct }, place, nth, killed): TaskDetails<PubSubTask> {
      const publisher = publishers.findIndex(({ process }) => process === place);
      if (publisher >= 0) {
        const lanes = publishers[publisher]?.lanes ?? [];
        return { kind: "publish", ...common, address: doors.a.address, seed: plan.seed + publisher, lanes };
      }
      const own = subscribers.find(({ process }) => process === place);
      const address = own?.isDirect ? direct : doors.b.address;
      const subscriptions = killed ? goOn(killed, nth) : (own?.subscriptions ?? []);
      return { kind: "subscribe", ...common, address, contender, subscriptions };
    },
    async script(team, _, hurt) {
      await team.start(subscribers.map(({ process }) => process));
      await team.callAll("", ({ session }) => session.call("opened"));
      await team.start(publishers.map(({ process }) => process));
      await hurt();
      const atMs = Date.now();
      team.note({ kind: "fault", name: "the last one", target: "network", startMs: atMs, endMs: atMs });
      const heal = ({ process }: { readonly process: string }) =>
        team.callAll(process, ({ session }) => session.call("healed", atMs));
      await Promise.all(subscribers.map(heal));
      await team.stop("publisher");
      await team.stop("");
    },
  });
  const all = [...records, ...ended];
  return { plan, records: all, verdict: checkHistory(all, { publishMs: settings.timeoutMs, livenessMs }) };
}
