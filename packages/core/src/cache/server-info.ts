import { unwrap } from "../errors/command-error.ts";
import type { Backend, Outage, Reply } from "../ports/transport.ts";

/** Facts about the server; 0 or "" where it does not report them. */
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

/** Reads what INFO and DBSIZE answered. @throws CommandError when Redis said no to the second. */
export function readInfo([text, keys]: readonly Reply[], backend: Backend): Omit<ServerInfo, "pending" | "outage"> {
  // `name:value` lines.
  const lines = typeof text === "string" ? text.split(/\r?\n/) : [];
  const fields = new Map(
    lines.map((line): [string, string] => {
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
    keys: Number(unwrap(keys)),
  };
}
