import type { RedisServer } from "@continuum-cache/conformance/servers";

/** Connecting and asking for statistics is not billed, or not ours. */
const isFree = (name: string): boolean =>
  /^(config\||info$|ping$|client\||hello$|auth$|select$|script\||quit$)/.test(name);

/** Commands that Upstash would bill for some work: each one, those that scripts run included. */
export async function billedDuring(redis: RedisServer, work: () => Promise<unknown>): Promise<number> {
  await redis.resetStats();
  await work();
  const counts = Object.entries(await redis.commandStats()).filter(([name]) => !isFree(name));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}
