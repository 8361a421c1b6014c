import { Redis } from "ioredis";
import type { EffectRecord } from "./record.ts";

/** Where messages are applied, each once: a server that nothing happens to. */
export interface Ledger {
  /** Tells whether this was the first time. */
  apply(id: string, process: string): Promise<boolean>;
  close(): void;
}

const script = `
if redis.call("SADD", "applied", ARGV[1]) == 0 then return 0 end
redis.call("RPUSH", "effects", cjson.encode({ARGV[1], ARGV[2], redis.call("TIME")}))
return 1`;

export function openLedger(url: string): Ledger {
  const client = new Redis(url, { enableAutoPipelining: true });
  client.defineCommand("applyOnce", { numberOfKeys: 0, lua: script });
  const { applyOnce } = client as Redis & { applyOnce(id: string, process: string): Promise<number> };
  return {
    apply: async (id, process) => (await applyOnce.call(client, id, process)) === 1,
    close: () => client.disconnect(),
  };
}

/** All that was applied. */
export async function readLedger(url: string): Promise<EffectRecord[]> {
  const client = new Redis(url);
  try {
    const lines = await client.lrange("effects", 0, -1);
    return lines.map((line): EffectRecord => {
      const [id, process, [seconds, micros]] = JSON.parse(line) as [string, string, [string, string]];
      return { kind: "effect", id, process, atMs: Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) };
    });
  } finally {
    client.disconnect();
  }
}
