import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { billedDuring } from "./billed.ts";
import { type Passer, startBullMq, startOurs } from "./passer.ts";

export interface CommandOptions {
  /** How many of them are counted, for each size of a batch. */
  readonly messages: number;
  /** How long the workers have nothing to do, in milliseconds. */
  readonly idleMs: number;
}

export interface CommandRow {
  readonly batch: number;
  readonly title: string;
  readonly billedPerMessage: number;
}

export interface IdleRow {
  readonly title: string;
  readonly billedPerDay: number;
}

const batches = [1, 10, 50] as const;

interface Entrant {
  readonly passer: Passer;
  readonly redis: RedisServer;
}

/** Counts the commands of messages that are pushed, given out and acked, beside BullMQ, each on a server of its own. */
export async function measureCommands({
  messages,
  idleMs,
}: CommandOptions): Promise<{ readonly rows: CommandRow[]; readonly idle: IdleRow[] }> {
  const closing: (() => Promise<void>)[] = [];
  const enter = async (start: (redis: RedisServer) => Passer | Promise<Passer>): Promise<Entrant> => {
    const redis = await startRedisServer();
    closing.unshift(() => redis.close());
    const passer = await start(redis);
    closing.unshift(() => passer.close());
    return { passer, redis };
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
    const rows: CommandRow[] = [];
    for (const batch of batches) {
      for (const { passer, redis } of entrants) {
        // What a first message takes once is not counted.
        await passer.pass(batch);
        rows.push({ batch, title: passer.title, billedPerMessage: await billedFor(redis, passer, batch, messages) });
      }
    }
    // What is put in order behind the last message is not idleness.
    await sleep(idleMs / 4);
    const days = idleMs / 86_400_000;
    const idle = await Promise.all(
      entrants.map(async ({ passer, redis }) => ({
        title: passer.title,
        billedPerDay: (await billedDuring(redis, () => sleep(idleMs))) / days,
      })),
    );
    return { rows, idle };
  } finally {
    for (const close of closing) await close();
  }
}

/** One batch after the other. */
async function billedFor(redis: RedisServer, passer: Passer, batch: number, messages: number): Promise<number> {
  const times = Math.ceil(messages / batch);
  const billed = await billedDuring(redis, async () => {
    for (let time = 0; time < times; time++) await passer.pass(batch);
  });
  return billed / (times * batch);
}

export function commandTable(rows: readonly CommandRow[]): string {
  return [
    "| batch | queue | billed commands per message |",
    "| ---: | --- | ---: |",
    ...rows.map(({ batch, title, billedPerMessage }) => `| ${batch} | ${title} | ${billedPerMessage.toFixed(2)} |`),
  ].join("\n");
}

export function idleTable(rows: readonly IdleRow[]): string {
  return [
    "| idle worker | billed commands per day |",
    "| --- | ---: |",
    ...rows.map(({ title, billedPerDay }) => `| ${title} | ${Math.round(billedPerDay)} |`),
  ].join("\n");
}
