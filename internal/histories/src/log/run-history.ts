import { join } from "node:path";
import type { Finding } from "../checking/rules.ts";
import { createWorkerPool, type WorkerPool } from "../fleet/worker-pool.ts";
import { runFleetHistory } from "../run/fleet-history.ts";
import { checkHistory } from "./check-history.ts";
import type { Plan } from "./plan.ts";
import type { LogRecord } from "./record.ts";
import type { LogApi, LogTask } from "./tasks.ts";
import type { Violation } from "./violation.ts";

export type LogPool = WorkerPool<LogTask, LogApi>;
export const createLogPool = (): LogPool => createWorkerPool(join(import.meta.dirname, "worker-process"));

/** One history: its plan, everything that was recorded, and what the rules say about it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly LogRecord[];
  readonly verdict: Required<Finding<Violation>>;
}

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: LogPool, folder: string): Promise<HistoryRun> {
  const { setup, members, way, durability, faults, terms } = plan;
  const perSecond = plan.perSecond / members.length;
  const records = await runFleetHistory<LogTask, LogApi, LogRecord>({
    pool,
    folder,
    faults,
    site: { way, durability },
    taskOf({ doors }, place, nth) {
      const { address } = members.indexOf(place) % 2 === 0 ? doors.a : doors.b;
      return { instanceId: place, address, setup, perSecond, seed: plan.seed * 100 + nth };
    },
    async script(team, _, hurt) {
      await team.start(members);
      await hurt();
      await team.callAll("member", ({ session }) => session.call("drain"));
      await team.callAll("member", ({ session }) => session.call("catchUp"));
      await team.stop("member");
    },
  });
  return { plan, records, verdict: checkHistory(records, terms) };
}
