import type { Command, Reply, Transport } from "@continuum-cache/core";

/** All that a database holds, and when it ends; marks of replays left out. */
export async function contents(transport: Transport): Promise<Record<string, Reply>> {
  const [keys] = await transport.send([["KEYS", "*"]]);
  const found: Record<string, Reply> = {};
  for (const name of (keys as string[]).filter((each) => !each.startsWith("continuum-cache:")).sort()) {
    const read: Record<string, Command> = {
      string: ["GET", name],
      list: ["LRANGE", name, 0, -1],
      hash: ["HGETALL", name],
      zset: ["ZRANGE", name, 0, -1, "WITHSCORES"],
      stream: ["XRANGE", name, "-", "+"],
    };
    const [type] = await transport.send([["TYPE", name]]);
    const [value, endMs] = await transport.send([read[String(type)] as Command, ["PEXPIRETIME", name]]);
    const groups = type === "stream" ? [await groupsOf(transport, name, value as Reply)] : [];
    found[name] = [
      ...groups,
      Array.isArray(value) && type === "hash" ? pairs(value) : (value as Reply),
      Math.min(Number(endMs), Number.MAX_SAFE_INTEGER),
    ];
  }
  return found;
}

/**
 * The last id that a stream ever had; of each group how far it has come, its consumers, and who has which of the
 * entries that are there.
 */
async function groupsOf(transport: Transport, key: string, entries: Reply): Promise<Reply> {
  const there = new Set((entries as readonly (readonly Reply[])[]).map(([id]) => id));
  const [stream, groups] = await transport.send([
    ["XINFO", "STREAM", key],
    ["XINFO", "GROUPS", key],
  ]);
  const facts = stream as readonly Reply[];
  const found: Reply[] = [facts[facts.indexOf("last-generated-id") + 1] ?? null];
  for (const group of groups as readonly (readonly Reply[])[]) {
    const [, given, , , , , , lastDelivered = null] = group;
    const name = given as string | Uint8Array;
    const [consumers, pending] = await transport.send([
      ["XINFO", "CONSUMERS", key, name],
      ["XPENDING", key, name, "-", "+", 1_000],
    ]);
    found.push([
      name,
      lastDelivered,
      (consumers as readonly (readonly Reply[])[]).map(([, consumer = null]) => consumer),
      (pending as readonly (readonly Reply[])[])
        .filter(([id]) => there.has(id as string))
        .map(([id = null, consumer = null, , deliveries = null]) => [id, consumer, deliveries]),
    ]);
  }
  return found;
}

const pairs = (fields: readonly Reply[]): string[] =>
  fields.flatMap((name, at) => (at % 2 === 0 ? [`${String(name)}=${String(fields[at + 1])}`] : [])).sort();
