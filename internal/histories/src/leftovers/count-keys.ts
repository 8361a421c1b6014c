import type { RedisServer } from "@continuum-cache/conformance/servers";

/** What is on a server. */
export interface Leftovers {
  readonly keys: number;
  readonly groups: number;
  readonly consumers: number;
  /** In the streams of the queue: what is done, and not removed yet. */
  readonly entries: number;
}

export async function countLeftovers(redis: RedisServer): Promise<Leftovers> {
  const keys = (await redis.command("KEYS", "*")) as readonly string[];
  let [groups, consumers, entries] = [0, 0, 0];
  for (const key of keys) {
    if (!key.startsWith("fed:queue:") || (await redis.command("TYPE", key)) !== "stream") continue;
    entries += Number(await redis.command("XLEN", key));
    const found = (await redis.command("XINFO", "GROUPS", key)) as readonly (readonly unknown[])[];
    groups += found.length;
    for (const group of found) consumers += Number(group[group.indexOf("consumers") + 1]);
  }
  return { keys: keys.length, groups, consumers, entries };
}
