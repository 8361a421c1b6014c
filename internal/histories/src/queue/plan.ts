import { createRandom } from "@continuum-cache/conformance/servers";
import { type FaultStep, planFaults } from "../faults/fault-plan.ts";
import { weightsOf } from "../faults/fault-weights.ts";
import type { Way } from "../site/address.ts";
import type { Durability } from "../site/servers.ts";
import type { QueueTerms } from "./history.ts";
import type { ConsumeTask, ProduceTask, QueueSetup } from "./tasks.ts";

/** What a history is drawn from. */
export interface PlanOptions {
  readonly seed: number;
  readonly way: Way;
  /** How long there are faults, and how long one lasts at most. */
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  readonly leaseMs: number;
  /** About so many messages a second, of all producers. */
  readonly perSecond: number;
  /** So many of high priority, and shares of them of the others, each producer pushes at once at the end. */
  readonly flood: number;
}

/** What a process does, but for what only the run knows. */
export type PlacePlan =
  | Pick<ProduceTask, "kind" | "perSecond" | "flood">
  | Pick<ConsumeTask, "kind" | "by" | "concurrency">;

/** What happens in one history: one seed, one plan. */
export interface Plan extends PlanOptions {
  readonly durability: Durability;
  readonly hasRepeats: boolean;
  readonly setup: QueueSetup;
  readonly terms: QueueTerms;
  readonly places: Readonly<Record<string, PlacePlan>>;
  readonly faults: readonly FaultStep[];
}

const setup = { timeoutMs: 1_000, maxAttempts: 5, pollMs: 3_000 } as const;
/** Two cores that eight processes share. */
const slackMs = 2_000;

export function drawPlan(options: PlanOptions): Plan {
  const { seed, leaseMs, perSecond, flood } = options;
  const random = createRandom(seed, 1);
  const durability = random.weighted({ always: 4, torn: 3, failover: 3 });
  const hasRepeats = random.chance(0.3);
  const produce = { kind: "produce", perSecond: perSecond / 2, flood } as const;
  const consume = (by: ConsumeTask["by"]) =>
    ({ kind: "consume", by, concurrency: random.pick([1, 4, 16, 50]) }) as const;
  const places = {
    "producer-1": produce,
    "producer-2": produce,
    "consumer-1": { ...consume("worker"), concurrency: 16 },
    "consumer-2": consume("worker"),
    "consumer-3": consume("pull"),
  };
  const quietMs = 1.5 * leaseMs + slackMs;
  // One dies while all is well: that is how soon its work is given to others.
  const process = random.pick(["consumer-1", "consumer-2", "consumer-3"]);
  const firstKill: FaultStep = { name: "kill process", process, waitMs: 1_500, lastsMs: 0 };
  const weights = Object.keys(places).map((name) => [name, name.startsWith("producer") ? 1 : 4] as const);
  return {
    ...options,
    durability,
    hasRepeats,
    setup: { ...setup, leaseMs },
    terms: {
      leaseMs,
      slackMs,
      timeoutMs: setup.timeoutMs,
      maxAttempts: setup.maxAttempts,
      // What lies in a slow process's buffer goes back after a third of a lease, and others go on meanwhile.
      aheadMessages: Math.ceil((options.perSecond * 1.5 * leaseMs) / 2_000),
    },
    places,
    faults: [
      firstKill,
      ...planFaults(createRandom(seed, 2), {
        ...options,
        weights: weightsOf({ way: options.way, durability, hasRepeats }),
        quietMs,
        processes: Object.fromEntries(weights),
      }).map((step, at) => (at === 0 ? { ...step, waitMs: quietMs } : step)),
    ],
  };
}
