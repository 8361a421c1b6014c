import { setTimeout as sleep } from "node:timers/promises";
import { startStallMeter } from "../checking/stall-meter.ts";
import { type AgendaItem, allVariants, createAgenda, type HistoryVariant } from "./agenda.ts";
import { checkHistory } from "./check-history.ts";
import { type ClientPool, startClientPool } from "./client-pool.ts";
import type { History } from "./history.ts";
import { runRound } from "./round.ts";
import { createSites, type SiteKind, type Sites, type StartGateway } from "./site.ts";
import { createSummary, type RunSummary } from "./summary.ts";
import type { Violation } from "./violation.ts";

/** What to run, and for how long. */
export interface RunOptions {
  /** How many histories. @default without a limit; then `minutes` is needed */
  readonly count?: number;
  /** Begins no history later than this. @default without a limit */
  readonly minutes?: number;
  /** Where the seeds begin: history number n has the seed `seed + n`. @default a random one */
  readonly seed?: number;
  /** The module that calls `serveClients` with the cache under test. */
  readonly clientModule: string;
  /** How Node is to be started for that module. @default as this process was */
  readonly execArgv?: readonly string[];
  /** Kinds of connections that do not reach a Redis directly, by name, besides `"tcp"`, which does. @default none */
  readonly gateways?: Readonly<Record<string, StartGateway>>;
  /** What kinds of histories, in turn. @default everything that can go wrong, over every connection */
  readonly variants?: readonly HistoryVariant[];
  /** How many clients a history has, each in another process. @default 3 */
  readonly clients?: number;
  /** How many servers are killed and frozen, each with histories of its own. @default 3 */
  readonly servers?: number;
  /** How many histories share a server that is. @default 8 */
  readonly width?: number;
  /** How many histories run at once on the server that is left alone. @default 16 */
  readonly atOnce?: number;
  /** How long clients may take to come back after the last fault, in milliseconds. @default 10_000 */
  readonly settleMs?: number;
  /** Called after each history. */
  readonly onHistory?: (history: History, violations: readonly Violation[], soFar: RunSummary) => void;
}

/** Processes that have just begun are slow: they get their work little by little. */
const rampMs = 150;

/**
 * Runs random histories against a real Redis while connections and servers fail, and checks each.
 *
 * @throws Error when a server or a client process can't be started, or a client process ends by itself.
 *
 * @example
 * ```ts
 * import { runHistories } from "@continuum-cache/conformance/servers";
 *
 * const { seed, histories, failures } = await runHistories({ count: 100, clientModule: "./client-process.js" });
 * console.log(`${failures.length} of ${histories} histories from seed ${seed} on break a promise`);
 * ```
 */
export async function runHistories(options: RunOptions): Promise<RunSummary> {
  const { count = Number.POSITIVE_INFINITY, minutes = Number.POSITIVE_INFINITY, settleMs = 10_000 } = options;
  const { clients = 3, servers = 3, width = 8, atOnce = 16, gateways = {}, execArgv = process.execArgv } = options;
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  if (count === Number.POSITIVE_INFINITY && minutes === Number.POSITIVE_INFINITY) {
    throw new TypeError("Expected `count` or `minutes`, got neither");
  }
  const connections = Object.keys(gateways);
  const { variants = allVariants(["tcp", ...connections], connections) } = options;
  const agenda = createAgenda({ seed, count, variants, width });
  const endsAt = performance.now() + minutes * 60_000;
  const summary = createSummary(seed);
  const pool = await startClientPool({ size: clients, module: options.clientModule, execArgv });
  const stalls = startStallMeter();
  const steady = createSites(gateways);
  const hurt = Array.from({ length: servers }, () => createSites(gateways));
  let failed = false;

  const work = async (sites: Sites, next: () => AgendaItem | undefined): Promise<void> => {
    for (;;) {
      const item = failed || performance.now() >= endsAt ? undefined : next();
      if (!item) return;
      const site = await sites.of(siteKindOf(item.variant));
      for (const history of await runRound({ ...item, site, pool, stalls, clients, settleMs })) check(history);
    }
  };
  const check = (history: History): void => {
    const { violations, undecided } = checkHistory(history);
    const found = [...violations, ...unhandled(pool)];
    summary.add(history, found, undecided);
    options.onHistory?.(history, found, summary.soFar());
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
    const workers = [
      ...hurt.map((sites, at) => begin(at * rampMs, sites, () => agenda.next("shared"))),
      ...Array.from({ length: atOnce }, (_, at) => begin(at * rampMs, steady, () => agenda.next("single"))),
    ];
    for (const outcome of await Promise.allSettled(workers)) if (outcome.status === "rejected") throw outcome.reason;
    return summary.soFar();
  } finally {
    stalls.stop();
    await Promise.all([pool, steady, ...hurt].map((each) => each.close()));
  }
}

const siteKindOf = ({ schedule, durable }: HistoryVariant): SiteKind =>
  schedule === "failover" ? "failover" : durable ? "durable" : "forgetful";

/** Errors that nobody heard: of one of the histories that ran at that time. */
const unhandled = (pool: ClientPool): Violation[] =>
  pool.takeUnhandled().map((text) => ({ kind: "unhandled", message: text, calls: [] }));
