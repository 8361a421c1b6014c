import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { type RoundOptions, sideBySide } from "../../side-by-side.ts";
import type { Address, Contender } from "../contenders/contender.ts";
import { openOurs } from "../contenders/ours.ts";
import { openIoredis, openNodeRedis, openUpstash } from "../contenders/raw.ts";
import { type Racer, startRacer } from "./racer.ts";

/** One line of the result; times in milliseconds. */
export interface SpeedRow {
  readonly way: string;
  readonly inFlight: number;
  readonly title: string;
  readonly perSecond: number;
  /** To the first of the same way and number in flight. */
  readonly ratio: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const widths = [1, 64] as const;
const settings = {
  hasFallback: false,
  timeoutMs: 5_000,
  watchdogMs: 45_000,
  probeTimeoutMs: 2_000,
  maxReconnectWaitMs: 5_000,
} as const;
const keeping = { count: 1_000, ageMs: 3_600_000 } as const;

/** Messages from one client to another over TCP and REST, everybody in turns. */
export async function measureSpeed(options: RoundOptions): Promise<SpeedRow[]> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url });
  const tcp: Address = { url: redis.url, rest: undefined };
  const rest: Address = { url: redis.url, rest: { url: gateway.url, token: "bench" } };
  const pair = (open: () => Contender) => ({ publisher: open(), listener: open() });
  const ours = (address: Address) => pair(() => openOurs(address, settings));
  try {
    const rows: SpeedRow[] = [];
    for (const [way, racers] of [
      [
        "TCP",
        [
          await startRacer(
            "ioredis",
            pair(() => openIoredis(tcp)),
          ),
          await startRacer(
            "node-redis",
            pair(() => openNodeRedis(tcp)),
          ),
          await startRacer("continuum-cache", ours(tcp)),
          await startRacer("continuum-cache, replay", ours(tcp), keeping),
        ],
      ],
      [
        "REST",
        [
          await startRacer(
            "@upstash/redis",
            pair(() => openUpstash(rest)),
          ),
          await startRacer("continuum-cache", ours(rest)),
          await startRacer("continuum-cache, replay", ours(rest), keeping),
        ],
      ],
    ] as const) {
      rows.push(...(await race(way, racers, options)));
      for (const racer of racers) await racer.close();
    }
    return rows;
  } finally {
    await gateway.close();
    await redis.close();
  }
}

async function race(way: string, racers: readonly Racer[], options: RoundOptions): Promise<SpeedRow[]> {
  const works = racers.map((racer) => racer.pass);
  const rows: SpeedRow[] = [];
  for (const inFlight of widths) {
    // Once to get warm.
    await sideBySide(works, inFlight, { ...options, rounds: 1 });
    for (const racer of racers) racer.takeLatencies();
    const speeds = await sideBySide(works, inFlight, options);
    for (const [at, racer] of racers.entries()) {
      const latencies = racer.takeLatencies();
      const { perSecond = 0, ratio = 0 } = speeds[at] ?? {};
      const times = { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
      rows.push({ way, inFlight, title: racer.title, perSecond, ratio, ...times });
    }
  }
  return rows;
}

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;

export function speedTable(rows: readonly SpeedRow[]): string {
  return [
    "| way | in flight | client | messages per second | ratio | p50 ms | p99 ms |",
    "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ...rows.map(
      ({ way, inFlight, title, perSecond, ratio, p50Ms, p99Ms }) =>
        `| ${way} | ${inFlight} | ${title} | ${Math.round(perSecond)} | ${ratio.toFixed(2)} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} |`,
    ),
  ].join("\n");
}
