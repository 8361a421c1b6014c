import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startStallMeter } from "../checking/stalls.ts";
import { createWorkerPool } from "../fleet/worker-pool.ts";
import type { Outcome, Span } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { type AgendaItem, allVariants, createAgenda, type HistoryVariant } from "./agenda.ts";
import { checkHistory } from "./check-history.ts";
import type { ClientSession, ClientTask } from "./client-session.ts";
import type { ClientLog, History } from "./history.ts";
import { linesOf } from "./history-file.ts";
import { runRound } from "./round.ts";
import { createSites, type SiteKind, type Sites } from "./site.ts";
import { tellStory } from "./story.ts";
import type { Verdict, Violation } from "./violation.ts";

export interface RunOptions extends Span {
  readonly ways: readonly Way[];
  /** The module that calls `serveClients`, without its extension. @default `UpstashCache` */
  readonly module?: string;
}

/** A history has so many clients, each in another process. */
const clients = 3;
/** So many servers are killed and frozen, and so many histories share one of them. */
const [servers, width] = [3, 8];
/** So many histories run at once on the server that is left alone. */
const atOnce = 16;
/** Processes that have just begun are slow: they get their work little by little. */
const rampMs = 150;

/** Runs random histories of caches against a real Redis while connections and servers fail, and checks each. */
export async function runHistories(options: RunOptions, onOutcome: (outcome: Outcome) => void): Promise<void> {
  const { seed, histories, ways, goesOn, module = join(import.meta.dirname, "worker-process") } = options;
  const agenda = createAgenda({ seed, count: histories, variants: allVariants(ways), width });
  const pool = createWorkerPool<ClientTask, ClientSession>(module);
  const workers = await Promise.all(Array.from({ length: clients }, () => pool.take()));
  const stalls = startStallMeter();
  const steady = createSites();
  const hurt = Array.from({ length: servers }, createSites);
  let failed = false;

  const work = async (sites: Sites, next: () => AgendaItem | undefined): Promise<void> => {
    for (;;) {
      const item = failed || !goesOn() ? undefined : next();
      if (!item) return;
      const site = await sites.of(siteKindOf(item.variant));
      for (const history of await runRound({ ...item, site, workers, stalls })) {
        // Errors without a handler belong to one of the histories that ran at that time.
        onOutcome(judge(history, ways, pool.takeUnhandled()));
      }
    }
  };
  const begin = async (afterMs: number, sites: Sites, next: () => AgendaItem | undefined): Promise<void> => {
    await sleep(afterMs);
    await work(sites, next).catch((error: unknown) => {
      // The others end what they are at; without this they would go on to the end.
      failed = true;
      throw error;
    });
  };

  try {
    const all = [
      ...hurt.map((sites, at) => begin(at * rampMs, sites, () => agenda.next("shared"))),
      ...Array.from({ length: atOnce }, (_, at) => begin(at * rampMs, steady, () => agenda.next("single"))),
    ];
    for (const outcome of await Promise.allSettled(all)) if (outcome.status === "rejected") throw outcome.reason;
  } finally {
    stalls.stop();
    await Promise.all([pool, steady, ...hurt].map((each) => each.close()));
  }
}

const siteKindOf = ({ schedule, durable }: HistoryVariant): SiteKind =>
  schedule === "failover" ? "failover" : durable ? "durable" : "forgetful";

function judge(history: History, ways: readonly Way[], unhandled: readonly string[]): Outcome {
  const { seed, variant, nemesis } = history;
  const { violations, undecided } = checkHistory(history);
  const { connection, schedule, durable } = variant;
  const faults: Record<string, number> = {};
  for (const { fault } of nemesis) faults[`fault: ${fault}`] = (faults[`fault: ${fault}`] ?? 0) + 1;
  return {
    seed,
    plan: variant,
    repeat: ways.map((way) => `--way ${way}`).join(" "),
    violations: [...violations, ...unhandled.map((detail): Violation => ({ kind: "unhandled", detail, calls: [] }))],
    records: linesOf(history),
    counts: {
      calls: history.clients.reduce((sum, { calls }) => sum + calls.length, 0),
      outages: history.clients.flatMap(({ changes }) => changes).filter(({ to }) => to === "local").length,
      interruptedReplays: interruptedReplays(history),
      [`${connection} ${schedule}${durable ? "" : " without AOF"}`]: 1,
      ...faults,
      ...openCounts(undecided),
    },
    tell: (violation) => tellStory(history, violation as Violation),
  };
}

const openCounts = (undecided: Verdict["undecided"]): Record<string, number> =>
  Object.fromEntries(Object.entries(undecided).map(([kind, count]) => [`undecided: ${kind}`, count]));

/** How many clients of a history lost the primary again while they were telling it what had happened meanwhile. */
export function interruptedReplays({ clients, nemesis }: History): number {
  const relapses = nemesis.filter(({ relapse }) => relapse === true);
  return clients.filter((log) =>
    relapses.some(({ startUs, client }) => (client ?? log.client) === log.client && wasRecovering(log, startUs)),
  ).length;
}

function wasRecovering({ statuses }: ClientLog, atUs: number): boolean {
  const inForce = statuses.findLast((status) => status.atUs <= atUs);
  return inForce?.backend === "local" && inForce.pending > 0;
}
