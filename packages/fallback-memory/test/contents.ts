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
      stream: ["XRANGE", name, "-", "+"],
    };
    const [type] = await transport.send([["TYPE", name]]);
    const [value, endMs] = await transport.send([read[String(type)] as Command, ["PEXPIRETIME", name]]);
    found[name] = [
      Array.isArray(value) && type === "hash" ? pairs(value) : (value as Reply),
      Math.min(Number(endMs), Number.MAX_SAFE_INTEGER),
    ];
  }
  return found;
}

const pairs = (fields: readonly Reply[]): string[] =>
  fields.flatMap((name, at) => (at % 2 === 0 ? [`${String(name)}=${String(fields[at + 1])}`] : [])).sort();
