import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Contender } from "./contender.ts";
import { restContenders, tcpContenders } from "./contenders.ts";
import { payloads } from "./payloads.ts";

/** How long each contender works on each scenario in each round, in milliseconds, and how many rounds there are. */
export interface SpeedOptions {
  readonly rounds: number;
  readonly sliceMs: number;
}

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

/** One line of the result: operations per second, the median of all rounds, and the ratio to the first contender. */
export interface SpeedRow {
  readonly contender: string;
  readonly scenario: string;
  readonly perSecond: number;
  readonly ratio: number;
}

/** Measures all contenders in turns within one run: the machine's moods then fall on all of them alike. */
export async function measureSpeed(options: SpeedOptions): Promise<SpeedRow[]> {
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

async function race(group: readonly Contender[], { rounds, sliceMs }: SpeedOptions): Promise<SpeedRow[]> {
  const value = payloads()["session"];
  await Promise.all(Array.from({ length: keyCount }, (_, index) => group[0]?.set(`bench:${index}`, value)));
  const rows: SpeedRow[] = [];
  for (const scenario of scenarios) {
    const rates = group.map(() => [] as number[]);
    for (let round = 0; round < rounds; round++) {
      for (const [index, contender] of group.entries())
        rates[index]?.push(await rate(contender, scenario, value, sliceMs));
    }
    const medians = rates.map(median);
    group.forEach((contender, index) => {
      const perSecond = medians[index] as number;
      const name = `${scenario.operation}, ${scenario.inFlight} in flight`;
      rows.push({ contender: contender.name, scenario: name, perSecond, ratio: perSecond / (medians[0] as number) });
    });
  }
  return rows;
}

/** Operations per second with a fixed number in flight. */
async function rate(
  contender: Contender,
  { operation, inFlight }: Scenario,
  value: unknown,
  sliceMs: number,
): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + sliceMs;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const key = `bench:${done++ % keyCount}`;
      if (operation === "get") await contender.get(key);
      else await contender.set(key, value);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (done / (performance.now() - startedAt)) * 1_000;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
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
