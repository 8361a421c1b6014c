import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import {
  type CallRecord,
  check,
  inexactUs,
  machineClockOffsetUs,
  type Verdict,
} from "@continuum-cache/histories/limiter";
import type { Algorithm } from "@continuum-cache/ratelimit";
import { startFleet } from "../fleet.ts";
import type { CallerTask } from "./caller.ts";
import type { Condition } from "./conditions.ts";

/** What an algorithm promises of any window, as a multiple of the limit. */
const timesLimit: Readonly<Record<Algorithm, number>> = {
  "sliding-window": 1,
  "sliding-log": 1,
  "fixed-window": 2,
  "token-bucket": 2,
};

/** @throws RangeError when there is no such algorithm. */
export function readAlgorithm(name: string): Algorithm {
  if (Object.hasOwn(timesLimit, name)) return name as Algorithm;
  throw new RangeError(`Expected --algorithm to be one of ${Object.keys(timesLimit).join(", ")}, got ${name}`);
}

/** What a condition came to. */
export interface ConditionRun {
  readonly condition: Condition;
  /** The most that a window may hold. */
  readonly most: number;
  readonly verdict: Verdict;
  /** The most that one window held, by the receipts' times. */
  readonly fullest: number;
  readonly seconds: number;
}

export interface RunOptions {
  readonly algorithm: Algorithm;
  readonly seed: number;
  readonly forMs: number;
}

/** Processes may take so much longer than their time, since they wait for their last answers. */
const slackMs = 60_000;

/** Has processes share one limit for so long, and checks what they noted. */
export async function measureCondition(condition: Condition, run: RunOptions): Promise<ConditionRun> {
  const { algorithm, seed, forMs } = run;
  const { processes, limit, flapping, windowMs, distanceMs, busyLoops, tellsProcesses } = condition;
  const redis = await startRedisServer();
  const proxy = await startFaultProxy(redis);
  if (distanceMs > 0) proxy.set({ kind: "latency", latencyMs: distanceMs / 2 });
  const loops = Array.from({ length: busyLoops }, () => busyLoop(forMs + slackMs));
  const subject = { id: "shared", limit, windowMs };
  const ended = new AbortController();
  try {
    const beganAt = performance.now();
    const fleet = await startFleet<CallerTask, never, CallRecord[]>({
      module: "conditions/caller-process",
      tasks: Array.from({ length: processes }, (_, process) => ({
        seed,
        process,
        url: `redis://${proxy.host}:${proxy.port}`,
        subject,
        processes: tellsProcesses ? processes : undefined,
        algorithm,
        // A process that refuses from memory does not notice that connections are refused.
        denyCache: flapping?.refuses !== true,
        forMs,
        lanes: 4,
        pauseMs: 30,
        clockOffsetUs: machineClockOffsetUs(),
      })),
    });
    const weather = comeAndGo({ redis, proxy }, condition, ended.signal);
    const records = (await fleet.results).flat();
    ended.abort();
    await weather;
    const verdict = check([{ ...subject, limit: limit * timesLimit[algorithm] }], records, {
      roundedUs: inexactUs,
      denyCacheUs: 5_000_000,
    });
    const seconds = (performance.now() - beganAt) / 1_000;
    return { condition, most: limit * timesLimit[algorithm], verdict, fullest: fullestOf(records, windowMs), seconds };
  } finally {
    ended.abort();
    for (const loop of loops) loop.kill("SIGKILL");
    await proxy.close();
    await redis.close();
  }
}

/** A process that keeps a CPU busy until it is ended, and for no longer than this. */
const busyLoop = (forMs: number): ChildProcess =>
  spawn(process.execPath, ["-e", `const end = Date.now() + ${forMs}; while (Date.now() < end);`], { stdio: "ignore" });

interface Servers {
  readonly redis: RedisServer;
  readonly proxy: FaultProxy;
}

async function comeAndGo({ redis, proxy }: Servers, condition: Condition, ended: AbortSignal): Promise<void> {
  const { flapping, startsAwayMs } = condition;
  const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: ended }).catch(() => {});
  const away = async (ms: number): Promise<void> => {
    if (flapping?.refuses) {
      proxy.set({ kind: "refuse" });
      proxy.cut();
    } else redis.freeze();
    await pause(ms);
    if (flapping?.refuses) proxy.set({ kind: "pass" });
    else redis.thaw();
  };
  if (startsAwayMs !== undefined) await away(startsAwayMs);
  if (flapping) await pause(1_000);
  while (flapping && !ended.aborted) {
    await away(flapping.awayMs);
    await pause(flapping.backMs);
  }
}

function fullestOf(records: readonly CallRecord[], windowMs: number): number {
  const times = records.flatMap(({ acceptedUs }) => acceptedUs ?? []).sort((one, other) => one - other);
  let from = 0;
  return times.reduce((most, timeUs, at) => {
    while ((times[from] as number) <= timeUs - windowMs * 1_000) from++;
    return Math.max(most, at - from + 1);
  }, 0);
}

/** The runs as a table, in Markdown. */
export function conditionsTable(runs: readonly ConditionRun[]): string {
  return [
    "| condition | most allowed | decisions | decided by | allowed | fullest window | windows above, by receipts " +
      "| certainly above |",
    "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
    ...runs.map(({ condition, most, verdict, fullest }) => {
      const { name } = condition;
      const { decisions, outcomes, sources, violations } = verdict;
      const by = Object.entries(sources)
        .map(([source, times]) => `${source} ${times}`)
        .join(", ");
      const count = (kind: string): number => violations.filter((violation) => violation.kind === kind).length;
      return `| ${name} | ${most} | ${decisions} | ${by} | ${outcomes.allowed} | ${fullest} | ${count("over-limit")} | ${count("certainly-over-limit")} |`;
    }),
  ].join("\n");
}
