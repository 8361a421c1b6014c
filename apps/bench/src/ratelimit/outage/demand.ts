import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { type OutageLimiter, type Rule, type StrategyName, strategies } from "./strategies.ts";

/** One Redis, and how a limiter in front of it gets through the outage. */
export interface Site {
  readonly fault: string;
  readonly strategy: StrategyName;
  readonly url: string;
}

/** What one process asks for. */
export interface DemandTask {
  readonly seed: number;
  readonly process: number;
  readonly sites: readonly Site[];
  readonly rule: Rule;
  /** Whom it asks for, at each site alike. */
  readonly ids: readonly string[];
  /** On average, for each id. */
  readonly callsPerWindow: number;
  readonly beginAtMs: number;
  readonly endAtMs: number;
}

/** One decision. Times are this machine's. */
export interface OutageDecision {
  readonly site: number;
  readonly id: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly outcome: "allowed" | "refused" | "failed";
}

/** Asks at random moments, and never waits for one answer before it asks again. */
export async function demand(task: DemandTask): Promise<OutageDecision[]> {
  const { seed, process, sites, rule, ids, callsPerWindow, beginAtMs, endAtMs } = task;
  const limiters = sites.map(({ strategy, url }) => strategies[strategy](url, rule));
  const decisions: OutageDecision[] = [];
  const pending = new Set<Promise<void>>();

  const ask = async (site: number, id: string): Promise<void> => {
    const startedAt = performance.now();
    const outcome = await outcomeOf(limiters[site] as OutageLimiter, id);
    const tookMs = performance.now() - startedAt;
    decisions.push({ site, id, atMs: Date.now(), tookMs, outcome });
  };
  const arrive = async (site: number, id: string, stream: number): Promise<void> => {
    const random = createRandom(seed, process, stream);
    let atMs = beginAtMs;
    for (;;) {
      atMs += (-Math.log(1 - random.next()) * rule.windowMs) / callsPerWindow;
      if (atMs >= endAtMs) return;
      await sleep(Math.max(0, atMs - Date.now()));
      const asked = ask(site, id).finally(() => pending.delete(asked));
      pending.add(asked);
    }
  };

  await Promise.all(sites.flatMap((_, site) => ids.map((id, at) => arrive(site, id, site * ids.length + at))));
  await Promise.race([Promise.all(pending), sleep(5_000)]);
  await Promise.race([Promise.all(limiters.map((limiter) => limiter.close())), sleep(2_000)]);
  return decisions;
}

async function outcomeOf(limiter: OutageLimiter, id: string): Promise<OutageDecision["outcome"]> {
  try {
    return (await limiter.decide(id)) ? "allowed" : "refused";
  } catch {
    // Counted: no decision is an outcome too.
    return "failed";
  }
}
