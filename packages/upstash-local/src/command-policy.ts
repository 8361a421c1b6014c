import { type Command, isRepeatable, isWrite } from "@continuum-cache/core";
import { argumentText } from "./argument-text.ts";
import type { Access } from "./authorization.ts";
import { noPermission, notAvailable, notInRest } from "./service-texts.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** They change or watch a connection, and over REST there is none; or they would block the one that all share. */
const outsideRest = words(`
  AUTH CLIENT HELLO QUIT RESET SELECT
  DISCARD EXEC MULTI UNWATCH WATCH
  MONITOR PSUBSCRIBE PUNSUBSCRIBE SUBSCRIBE UNSUBSCRIBE
  BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN
`);

/** Redis has them, the service has not. */
const unavailable = words(`
  ASKING BGREWRITEAOF BGSAVE CLUSTER DEBUG FAILOVER LASTSAVE LATENCY LCS LOLWUT MIGRATE MODULE MOVE OBJECT PFDEBUG
  PFSELFTEST PSYNC READONLY READWRITE REPLCONF REPLICAOF RESTORE-ASKING ROLE SAVE SHUTDOWN SLAVEOF SLOWLOG SORT SORT_RO
  SPUBLISH SSUBSCRIBE SUBSTR SUNSUBSCRIBE SWAPDB SYNC XSETID
`);

/** Commands of which the service has only some subcommands. */
const unavailableSubcommands: Readonly<Record<string, (subcommand: string) => boolean>> = {
  ACL: (subcommand) => subcommand !== "RESTTOKEN",
  COMMAND: (subcommand) => subcommand !== "",
  CONFIG: (subcommand) => subcommand === "RESETSTAT" || subcommand === "REWRITE",
  FUNCTION: (subcommand) => subcommand === "DUMP" || subcommand === "RESTORE",
  MEMORY: (subcommand) => subcommand !== "USAGE",
  PUBSUB: (subcommand) => subcommand.startsWith("SHARD"),
  SCRIPT: (subcommand) => subcommand === "DEBUG",
};

/** Reads of the whole database are too powerful for a token that is shown to browsers, and so is any script. */
const notReadOnly = words("SCAN KEYS SCRIPT EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO");

/**
 * Why a command is refused before it reaches the engine, in the service's words; `undefined` when it is not.
 *
 * @param command - With its name in upper case.
 */
export function refusalOf(command: Command, access: Access): string | undefined {
  const [name, first] = command;
  if (outsideRest.has(name) || blocks(command)) return notInRest(name);
  if (unavailable.has(name) || unavailableSubcommands[name]?.(argumentText(first).toUpperCase())) {
    return notAvailable(name);
  }
  if (access === "read-only" && !isPlainRead(command)) return noPermission(name);
  return undefined;
}

/** What the one table of commands calls a read. PUBLISH stores nothing, but it has an effect, so it may not be repeated. */
const isPlainRead = (command: Command): boolean =>
  !notReadOnly.has(command[0]) && !isWrite(command) && isRepeatable(command);

/** XREAD and XREADGROUP with BLOCK among their options. A group or a consumer may well be named "block". */
function blocks([name, ...args]: Command): boolean {
  if (name !== "XREAD" && name !== "XREADGROUP") return false;
  const options = args.slice(name === "XREADGROUP" ? 3 : 0).map((arg) => argumentText(arg).toUpperCase());
  const streams = options.indexOf("STREAMS");
  return options.slice(0, streams < 0 ? undefined : streams).includes("BLOCK");
}
