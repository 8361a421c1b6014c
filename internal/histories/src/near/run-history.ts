import { join } from "node:path";
import { createRandom } from "@continuum-cache/conformance/servers";
import type { Finding, Violation } from "../checking/rules.ts";
import { type FaultStep, type FaultWeights, planFaults } from "../faults/fault-plan.ts";
import { createWorkerPool, type WorkerPool } from "../fleet/worker-pool.ts";
import { runFleetHistory } from "../run/fleet-history.ts";
import type { Way } from "../site/address.ts";
import type { NearRecord } from "./record.ts";
import { checkNear } from "./rules.ts";
import type { NearApi, NearSetup, NearTask } from "./tasks.ts";

export type NearPool = WorkerPool<NearTask, NearApi>;
export const createNearPool = (): NearPool => createWorkerPool(join(import.meta.dirname, "worker-process"));

/** What a history is drawn from. */
export interface PlanOptions {
  readonly seed: number;
  readonly way: Way;
  readonly faultsMs: number;
  readonly longestFaultMs: number;
}

/** What happens in one history: one seed, one plan. */
export interface Plan extends PlanOptions {
  readonly setup: NearSetup;
  readonly places: readonly string[];
  readonly faults: readonly FaultStep[];
}

const places = ["process-1", "process-2", "process-3"] as const;
const setup: NearSetup = { boundMs: 400, timeoutMs: 600 };

/** Nothing here loses confirmed writes or repeats old requests: then no version would be too old. */
const weights: FaultWeights = {
  "kill process": 8,
  "freeze process": 6,
  "kill all connections": 3,
  "freeze server": 2,
  "restart server": 1,
  "cut a": 2,
  "cut b": 2,
  "blackhole a": 4,
  "blackhole b": 4,
  "lose replies a": 4,
  "lose replies b": 4,
  "lose requests a": 2,
  "lose requests b": 2,
  delay: 3,
};
const restWeights: FaultWeights = {
  "gateway refuses": 2,
  "gateway hangs": 2,
  "gateway fails": 2,
  "gateway loses replies": 3,
};

export function drawPlan(options: PlanOptions): Plan {
  const faults = planFaults(createRandom(options.seed, 4), {
    ...options,
    weights: { ...weights, ...(options.way === "rest" && restWeights) },
    processes: Object.fromEntries(places.map((name) => [name, 1])),
  });
  return { ...options, setup, places, faults };
}

/** One history: its plan, everything that was recorded, and what the rules say about it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly NearRecord[];
  readonly verdict: Required<Finding<Violation>>;
}

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: NearPool, folder: string): Promise<HistoryRun> {
  const { way, faults } = plan;
  const records = await runFleetHistory<NearTask, NearApi, NearRecord>({
    pool,
    folder,
    faults,
    site: { way, durability: "always" },
    taskOf({ doors }, place, nth) {
      const { address } = place === places[0] ? doors.a : doors.b;
      return { address, setup: plan.setup, place, places: plan.places, seed: plan.seed * 100 + nth };
    },
    async script(team, _, hurt) {
      await team.start(plan.places);
      await hurt();
      await team.callAll("process", ({ session }) => session.call("drain"));
      await team.callAll("process", ({ session }) => session.call("compare"));
      await team.stop("process");
    },
  });
  return { plan, records, verdict: checkNear(records, plan.setup.boundMs) };
}
