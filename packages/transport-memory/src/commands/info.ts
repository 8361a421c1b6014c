import type { CommandContext } from "./command-row.ts";

type Lines = Readonly<Record<string, string | number>>;

/**
 * The sections of INFO. It does not claim to be Redis; the version says whose commands it has.
 */
const sections: Readonly<Record<string, (context: CommandContext) => Lines>> = {
  Server: ({ server, nowMs }) => ({
    server_name: "continuum-cache-memory",
    redis_version: "7.0.0-compatible",
    redis_mode: "standalone",
    uptime_in_seconds: Math.max(0, Math.floor((nowMs - server.startedAtMs) / 1_000)),
  }),
  Clients: () => ({ connected_clients: 1 }),
  Memory: ({ keyspace: { facts } }) => ({
    used_memory: facts.usedBytes,
    used_memory_human: human(facts.usedBytes),
    maxmemory: facts.maxBytes,
    maxmemory_human: human(facts.maxBytes),
    maxmemory_policy: "allkeys-lru",
  }),
  Stats: ({ server, keyspace: { facts } }) => ({
    total_commands_processed: [...server.calls.values()].reduce((sum, calls) => sum + calls, 0),
    expired_keys: facts.expired,
    evicted_keys: facts.evicted,
  }),
  Commandstats: ({ server }) =>
    Object.fromEntries([...server.calls].map(([name, calls]) => [`cmdstat_${name.toLowerCase()}`, `calls=${calls}`])),
  Keyspace: ({ keyspace }) => {
    const keys = keyspace.size();
    return keys === 0 ? {} : { db0: `keys=${keys},expires=${keyspace.facts.expiring},avg_ttl=0` };
  },
};

/** The sections that INFO without arguments leaves out. */
const onRequest: readonly string[] = ["Commandstats"];

/** The text of INFO. @param asked - Names of sections, upper case; none: the usual ones. */
export function infoText(context: CommandContext, asked: readonly string[]): string {
  const everything = asked.includes("ALL") || asked.includes("EVERYTHING");
  const usual = asked.length === 0 || asked.includes("DEFAULT");
  return Object.entries(sections)
    .filter(([name]) => everything || asked.includes(name.toUpperCase()) || (usual && !onRequest.includes(name)))
    .map(([name, lines]) =>
      [`# ${name}`, ...Object.entries(lines(context)).map(([field, value]) => `${field}:${value}`), ""].join("\r\n"),
    )
    .join("\r\n");
}

/** As Redis writes it: `512B`, `1.50K`, `64.00M`. */
function human(bytes: number): string {
  if (bytes < 1_024) return `${bytes}B`;
  const unit = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** unit).toFixed(2)}${"BKMGT"[unit]}`;
}
