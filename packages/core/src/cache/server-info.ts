import type { Backend, Outage } from "../ports/transport.ts";

/** Facts that the server tells of itself; 0 or "" where it does not say. */
export interface ServerInfo {
  readonly backend: Backend;
  readonly redisVersion: string;
  readonly uptimeSeconds: number;
  /** In bytes. */
  readonly usedMemory: number;
  readonly usedMemoryHuman: string;
  readonly connectedClients: number;
  readonly totalCommandsProcessed: number;
  /** How many keys the database holds. */
  readonly keys: number;
  /** Mutations made while local that the primary has not confirmed yet. */
  readonly pending: number;
  /** Since when and why answers are local; `undefined` while the primary answers. */
  readonly outage: Outage | undefined;
}

/** Reads the text that INFO answers: `name:value` lines. */
export function parseInfo(text: string, keys: number, backend: Backend): Omit<ServerInfo, "pending" | "outage"> {
  const fields = new Map(
    text.split(/\r?\n/).map((line): [string, string] => {
      const [name = "", ...value] = line.split(":");
      return [name, value.join(":")];
    }),
  );
  const number = (name: string): number => Number(fields.get(name) ?? 0) || 0;
  return {
    backend,
    redisVersion: fields.get("redis_version") ?? "",
    uptimeSeconds: number("uptime_in_seconds"),
    usedMemory: number("used_memory"),
    usedMemoryHuman: fields.get("used_memory_human") ?? "",
    connectedClients: number("connected_clients"),
    totalCommandsProcessed: number("total_commands_processed"),
    keys,
  };
}
