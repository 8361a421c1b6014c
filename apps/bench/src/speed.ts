import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Contender } from "./contender.ts";
import { restContenders, tcpContenders } from "./contenders.ts";
import { payloads } from "./payloads.ts";
import { type RoundOptions, type Speed, sideBySide } from "./side-by-side.ts";

interface Scenario {
  readonly operation: "get" | "set";
  readonly inFlight: number;
}

const scenarios: readonly Scenario[] = [
  { operation: "get", inFlight: 1 },
  { operation: "get", inFlight: 64 },
  { operation: "set", inFlight: 1 },
  { operation: "set", inFlight: 64 },
];
const keyCount = 1_000;

/** One line of the result, in operations. */
export interface SpeedRow extends Speed {
  readonly contender: string;
  readonly scenario: string;
}

/** Measures all contenders of each way to Redis beside each other. */
export async function measureSpeed(options: RoundOptions): Promise<SpeedRow[]> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url });
  const groups = [tcpContenders(redis.url), restContenders(gateway.url, "bench")];
  try {
    const rows: SpeedRow[] = [];
    for (const group of groups) rows.push(...(await race(group, options)));
    return rows;
  } finally {
    await Promise.all(groups.flat().map((contender) => contender.close()));
    await gateway.close();
    await redis.close();
  }
}

async function race(group: readonly Contender[], options: RoundOptions): Promise<SpeedRow[]> {
  const value = payloads()["session"];
  const keyOf = (nth: number): string => `bench:${nth % keyCount}`;
  await Promise.all(Array.from({ length: keyCount }, (_, nth) => group[0]?.set(keyOf(nth), value)));
  const rows: SpeedRow[] = [];
  for (const { operation, inFlight } of scenarios) {
    const works = group.map((contender) => (nth: number) => {
      return operation === "get" ? contender.get(keyOf(nth)) : contender.set(keyOf(nth), value);
    });
    const speeds = await sideBySide(works, inFlight, options);
    for (const [index, { name }] of group.entries()) {
      rows.push({ contender: name, scenario: `${operation}, ${inFlight} in flight`, ...(speeds[index] as Speed) });
    }
  }
  return rows;
}

export function speedTable(rows: readonly SpeedRow[]): string {
  return [
    "| scenario | contender | per second | ratio |",
    "| --- | --- | ---: | ---: |",
    ...rows.map(
      (row) => `| ${row.scenario} | ${row.contender} | ${Math.round(row.perSecond)} | ${row.ratio.toFixed(2)} |`,
    ),
  ].join("\n");
}
