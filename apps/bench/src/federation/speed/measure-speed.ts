import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { type RoundOptions, sideBySide } from "../../side-by-side.ts";
import { billedDuring } from "./billed.ts";
import { type Racer, startBullMq, startOurs } from "./racer.ts";

export interface SpeedOptions extends RoundOptions {
  /** How long the workers have nothing to do, in milliseconds. */
  readonly idleMs: number;
}

/** How fast and how dear one was. */
export interface SpeedRow {
  readonly batch: number;
  readonly title: string;
  readonly perSecond: number;
  /** To BullMQ's. */
  readonly ratio: number;
  readonly billedPerMessage: number;
}

export interface IdleRow {
  readonly title: string;
  readonly billedPerDay: number;
}

const batches = [1, 10, 50] as const;
/** So many messages are under way at once, however large the batches. */
const underWay = 200;
const billedMessages = 600;

interface Entrant {
  readonly racer: Racer;
  readonly redis: RedisServer;
}

/** Messages pushed, given out and acked, beside BullMQ, each on a server of its own, all in turns within one run. */
export async function measureSpeed(
  options: SpeedOptions,
): Promise<{ readonly rows: SpeedRow[]; readonly idle: IdleRow[] }> {
  const closing: (() => Promise<void>)[] = [];
  const enter = async (start: (redis: RedisServer) => Racer | Promise<Racer>): Promise<Entrant> => {
    const redis = await startRedisServer();
    closing.unshift(() => redis.close());
    const racer = await start(redis);
    closing.unshift(() => racer.close());
    return { racer, redis };
  };
  try {
    const entrants = [
      await enter(({ host, port }) => startBullMq({ host, port })),
      await enter(({ url }) => startOurs("continuum-cache, TCP", () => tcpTransport({ url }))),
      await enter(async (redis) => {
        const gateway = await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url });
        closing.unshift(() => gateway.close());
        return startOurs("continuum-cache, REST", () => restTransport({ url: gateway.url, token: "bench" }));
      }),
    ];
    const rows: SpeedRow[] = [];
    for (const batch of batches) {
      const atOnce = underWay / batch;
      const works = entrants.map(
        ({ racer }) =>
          () =>
            racer.pass(batch),
      );
      // Once to get warm.
      await sideBySide(works, atOnce, { ...options, rounds: 1 });
      const speeds = await sideBySide(works, atOnce, options);
      for (const [at, { racer, redis }] of entrants.entries()) {
        const billed = await billedFor(redis, racer, batch);
        const { perSecond = 0, ratio = 0 } = speeds[at] ?? {};
        rows.push({ batch, title: racer.title, perSecond: perSecond * batch, ratio, billedPerMessage: billed });
      }
    }
    // What is put in order behind the last message is not idleness.
    await sleep(options.idleMs / 4);
    const days = options.idleMs / 86_400_000;
    const idle = await Promise.all(
      entrants.map(async ({ racer, redis }) => ({
        title: racer.title,
        billedPerDay: (await billedDuring(redis, () => sleep(options.idleMs))) / days,
      })),
    );
    return { rows, idle };
  } finally {
    for (const close of closing) await close();
  }
}

/** One batch after the other. */
async function billedFor(redis: RedisServer, racer: Racer, batch: number): Promise<number> {
  const times = Math.ceil(billedMessages / batch);
  const billed = await billedDuring(redis, async () => {
    for (let time = 0; time < times; time++) await racer.pass(batch);
  });
  return billed / (times * batch);
}

export function speedTable(rows: readonly SpeedRow[]): string {
  return [
    "| batch | queue | messages per second | ratio | billed commands per message |",
    "| ---: | --- | ---: | ---: | ---: |",
    ...rows.map(
      ({ batch, title, perSecond, ratio, billedPerMessage }) =>
        `| ${batch} | ${title} | ${Math.round(perSecond)} | ${ratio.toFixed(2)} | ${billedPerMessage.toFixed(2)} |`,
    ),
  ].join("\n");
}

export function idleTable(rows: readonly IdleRow[]): string {
  return [
    "| idle worker | billed commands per day |",
    "| --- | ---: |",
    ...rows.map(({ title, billedPerDay }) => `| ${title} | ${Math.round(billedPerDay)} |`),
  ].join("\n");
}
