import { setTimeout as sleep } from "node:timers/promises";
import { startFleet } from "../fleet.ts";
import type { DemandTask, OutageDecision, Site } from "./demand.ts";
import { faults } from "./faults.ts";
import { type OutageRow, summarize } from "./outage-row.ts";
import { type Rule, type StrategyName, strategies } from "./strategies.ts";

export interface OutageOptions {
  readonly seed: number;
  readonly windowMs: number;
  /** How many are limited, each for itself, with the same demand. */
  readonly ids: number;
}

export const limit = 100;
/** Of what is asked for, by process. */
export const shares: readonly number[] = [0.6, 0.2, 0.15, 0.05];
export const callsPerWindow = 300;
/** Before, during and after, in windows. */
export const phases = { before: 2, during: 1.75, after: 2 } as const;

/** Processes have time to start and to connect. */
const leadMs = 3_000;

/** All faults and strategies at the same time, each on a Redis of its own, in four processes. */
export async function measureOutage({ seed, windowMs, ids }: OutageOptions): Promise<OutageRow[]> {
  const open = await Promise.all(
    Object.entries(faults).flatMap(([fault, start]) =>
      (Object.keys(strategies) as StrategyName[]).map(async (strategy) => ({ fault, strategy, site: await start() })),
    ),
  );
  try {
    const sites = open.map(({ fault, strategy, site }): Site => ({ fault, strategy, url: site.url }));
    const rule: Rule = { limit, windowMs, processes: shares.length };
    const beginAtMs = Date.now() + leadMs;
    const leaveAtMs = beginAtMs + phases.before * windowMs;
    const backAtMs = leaveAtMs + phases.during * windowMs;
    const endAtMs = backAtMs + phases.after * windowMs;
    const fleet = await startFleet<DemandTask, never, OutageDecision[]>({
      module: "outage/demand-process",
      tasks: shares.map((share, process) => ({
        seed,
        process,
        sites,
        rule,
        ids: Array.from({ length: ids }, (_, at) => `user-${at}`),
        callsPerWindow: callsPerWindow * share,
        beginAtMs,
        endAtMs,
      })),
    });
    const act = async (atMs: number, does: "leave" | "comeBack"): Promise<void> => {
      await sleep(atMs - Date.now());
      await Promise.all(open.map(({ site }) => site[does]()));
    };
    await Promise.race([fleet.results, act(leaveAtMs, "leave").then(() => act(backAtMs, "comeBack"))]);
    const decisions = (await fleet.results).flat();
    return sites.map(({ fault, strategy }, at) => {
      const mine = decisions.filter(({ site }) => site === at);
      return summarize({ fault, strategy }, mine, { windowMs, leaveAtMs, backAtMs });
    });
  } finally {
    for (const { site } of open) await site.close();
  }
}
