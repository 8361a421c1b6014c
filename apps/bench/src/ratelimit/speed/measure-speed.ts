import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { RoundOptions } from "../../side-by-side.ts";
import type { ServerAddress } from "../contender.ts";
import { openFlexible } from "../contenders/flexible.ts";
import { openOurs } from "../contenders/ours.ts";
import { openUpstash } from "../contenders/upstash.ts";
import type { Subject } from "../subject.ts";
import { type Crowd, type RaceRow, type Racer, race } from "./race.ts";

const crowdOf = (name: string, count: number, limit: number, isExhausted: boolean): Crowd => ({
  name,
  isExhausted,
  subjects: Array.from({ length: count }, (_, at): Subject => ({ id: `${name}-${at}`, limit, windowMs: 3_600_000 })),
});

/** So many have room that nobody gets to the end of it, and some are at the end for an hour. */
const free = crowdOf("free", 5_000, 2_000, false);
const exhausted = crowdOf("exhausted", 100, 100, true);

/** Over TCP and over REST: who has room; who has none, without and with a deny cache. */
export async function measureSpeed(options: RoundOptions): Promise<RaceRow[]> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url });
  const ways: Readonly<Record<string, ServerAddress>> = {
    TCP: { url: redis.url },
    REST: { url: redis.url, rest: { url: gateway.url, token: "bench" } },
  };
  try {
    const rows: RaceRow[] = [];
    for (const [way, server] of Object.entries(ways)) {
      for (const [crowd, denyCache] of [
        [free, false],
        [exhausted, false],
        [{ ...exhausted, name: "exhausted, deny cache" }, true],
      ] as const) {
        await redis.command("FLUSHALL");
        const racers = racersOf(server, denyCache, crowd.isExhausted);
        rows.push(...(await race(way, racers, crowd, options)));
        for (const { contender } of racers) await contender.close();
      }
    }
    return rows;
  } finally {
    await gateway.close();
    await redis.close();
  }
}

/** Who is refused is refused alike by all of ours: the default speaks for them. */
function racersOf(server: ServerAddress, denyCache: boolean, isDefaultOnly: boolean): Racer[] {
  const ours = isDefaultOnly
    ? (["sliding-window"] as const)
    : (["sliding-window", "fixed-window", "token-bucket"] as const);
  const upstash = isDefaultOnly ? (["slidingWindow"] as const) : (["slidingWindow", "fixedWindow"] as const);
  return [
    ...(server.rest ? [] : [{ title: "rate-limiter-flexible", contender: openFlexible(server, { denyCache }) }]),
    ...upstash.map((algorithm) => ({
      title: `@upstash/ratelimit, ${algorithm}`,
      contender: openUpstash(server, { algorithm, denyCache }),
    })),
    ...ours.map((algorithm) => ({
      title: `continuum-cache, ${algorithm}`,
      contender: openOurs(server, { algorithm, denyCache }),
    })),
  ];
}

export function speedTable(rows: readonly RaceRow[]): string {
  return [
    "| way | keys | in flight | contender | decisions per second | ratio |",
    "| --- | --- | ---: | --- | ---: | ---: |",
    ...rows.map(
      ({ group, crowd, inFlight, title, perSecond, ratio }) =>
        `| ${group} | ${crowd} | ${inFlight} | ${title} | ${Math.round(perSecond)} | ${ratio.toFixed(2)} |`,
    ),
  ].join("\n");
}
