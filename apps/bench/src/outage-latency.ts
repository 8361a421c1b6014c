import { UpstashCache } from "continuum-cache";
import {
  type HurtableServer,
  restFaults,
  type ServerFault,
  startRest,
  startTcp,
  tcpFaults,
} from "./outage-latency/server-faults.ts";
import { payloads } from "./payloads.ts";

/** How often each fault is set, and for how long each contender works in each round afterwards, in milliseconds. */
export interface OutageLatencyOptions {
  readonly trials: number;
  readonly rounds: number;
  readonly sliceMs: number;
}

/** One fault on one way to the server. */
export interface OutageRow {
  readonly way: "REST" | "TCP";
  readonly fault: string;
  /** From the beginning of the fault to the first local answer, in milliseconds, the median of all trials. */
  readonly firstAnswerMs: number;
  /** Of calls while the primary is away, as a ratio to the memory alone (`mode: "local"`). */
  readonly get: Quantiles;
  readonly set: Quantiles;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** The cache's `timeout`: a server that says nothing costs the first call this much. */
export const timeoutMs = 1_000;
const keyCount = 1_000;
const operations = ["get", "set"] as const;

/**
 * Sets each fault under a cache at work, and measures how soon it answers, then how fast, beside the memory alone, in
 * turns within one run.
 */
export async function measureOutageLatency(options: OutageLatencyOptions): Promise<OutageRow[]> {
  const rows: OutageRow[] = [];
  for (const [way, start, faults] of [
    ["TCP", startTcp, tcpFaults],
    ["REST", startRest, restFaults],
  ] as const) {
    for (const fault of faults) rows.push({ way, ...(await measureFault(start, fault, options)) });
  }
  return rows;
}

async function measureFault(
  start: () => Promise<HurtableServer>,
  fault: ServerFault,
  { trials, rounds, sliceMs }: OutageLatencyOptions,
): Promise<Omit<OutageRow, "way">> {
  const firstAnswers: number[] = [];
  for (let trial = 1; ; trial++) {
    const server = await start();
    const away = new UpstashCache({ ...server.settings, timeout: `${timeoutMs}ms`, warn: () => {} });
    try {
      firstAnswers.push(await firstLocalAnswer(away, server, fault));
      if (trial < trials) continue;
      const { get, set } = await beside(away, rounds, sliceMs);
      return { fault: fault.name, firstAnswerMs: quantile(firstAnswers, 0.5), get, set };
    } finally {
      server.redis.thaw();
      await away.close();
      await server.close();
    }
  }
}

/**
 * A caller after the other asks for a key that only the server has, until one is told by the memory that it is not
 * there.
 */
async function firstLocalAnswer(cache: UpstashCache, server: HurtableServer, fault: ServerFault): Promise<number> {
  const key = "bench:first";
  await cache.set(key, 1);
  await fault.set(server);
  const startedAt = performance.now();
  while ((await cache.get(key)) !== undefined) if (performance.now() > startedAt + 30_000) return Number.NaN;
  return performance.now() - startedAt;
}

async function beside(away: UpstashCache, rounds: number, sliceMs: number): Promise<Pick<OutageRow, "get" | "set">> {
  const memory = new UpstashCache({ mode: "local" });
  const value = payloads()["session"];
  const contenders = [memory, away] as const;
  const times = { get: [[], []] as [number[], number[]], set: [[], []] as [number[], number[]] };
  for (const cache of contenders) await fill(cache, value);
  for (let round = 0; round < rounds; round++) {
    for (const operation of operations) {
      for (const [index, cache] of contenders.entries()) {
        const endsAt = performance.now() + sliceMs;
        for (let at = 0; performance.now() < endsAt; at++) {
          const key = `bench:${at % keyCount}`;
          const startedAt = performance.now();
          if (operation === "get") await cache.get(key);
          else await cache.set(key, value);
          times[operation][index]?.push(performance.now() - startedAt);
        }
      }
    }
  }
  await memory.close();
  return { get: ratios(...times.get), set: ratios(...times.set) };
}

async function fill(cache: UpstashCache, value: unknown): Promise<void> {
  for (let index = 0; index < keyCount; index++) await cache.set(`bench:${index}`, value);
}

const ratios = (memory: number[], away: number[]): Quantiles => ({
  p50: quantile(away, 0.5) / quantile(memory, 0.5),
  p99: quantile(away, 0.99) / quantile(memory, 0.99),
});

function quantile(numbers: number[], share: number): number {
  const sorted = numbers.sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function outageLatencyTable(rows: readonly OutageRow[]): string {
  const cells = ({ p50, p99 }: Quantiles): string => `${p50.toFixed(2)} | ${p99.toFixed(2)}`;
  return [
    "| way | fault | first local answer, ms | get p50 | get p99 | set p50 | set p99 |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(
      ({ way, fault, firstAnswerMs, get, set }) =>
        `| ${way} | ${fault} | ${firstAnswerMs.toFixed(0)} | ${cells(get)} | ${cells(set)} |`,
    ),
  ].join("\n");
}
