import { createRandom } from "@continuum-cache/conformance/servers";
import { type FaultStep, planFaults } from "../faults/fault-plan.ts";
import { weightsOf } from "../faults/fault-weights.ts";
import type { Way } from "../site/address.ts";
import type { Durability } from "../site/servers.ts";
import type { LogTerms } from "./history.ts";
import type { LogSetup } from "./tasks.ts";

/** What a history is drawn from. */
export interface PlanOptions {
  readonly seed: number;
  readonly way: Way;
  /** How long there are faults, and how long one lasts at most. */
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  readonly leaseMs: number;
  /** About so many events a second, of all instances. */
  readonly perSecond: number;
}

/** What happens in one history: one seed, one plan. */
export interface Plan extends PlanOptions {
  readonly durability: Durability;
  readonly hasRepeats: boolean;
  readonly setup: LogSetup;
  readonly terms: LogTerms;
  readonly members: readonly string[];
  readonly faults: readonly FaultStep[];
}

const setup = { timeoutMs: 1_000, pollMs: 3_000 } as const;
/** Two cores that eight processes share. */
const slackMs = 2_000;
const members = ["member-1", "member-2", "member-3", "member-4"] as const;

export function drawPlan(options: PlanOptions): Plan {
  const { seed, leaseMs } = options;
  const random = createRandom(seed, 3);
  const durability = random.weighted({ always: 4, torn: 3, failover: 3 });
  const hasRepeats = random.chance(0.3);
  return {
    ...options,
    durability,
    hasRepeats,
    setup: { ...setup, leaseMs },
    terms: { timeoutMs: setup.timeoutMs, slackMs },
    members,
    faults: planFaults(createRandom(seed, 4), {
      ...options,
      weights: weightsOf({ way: options.way, durability, hasRepeats }),
      quietMs: leaseMs + slackMs,
      processes: Object.fromEntries(members.map((name) => [name, 1])),
    }),
  };
}
