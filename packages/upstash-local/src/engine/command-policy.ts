import type { Command } from "@continuum-cache/core";
import { isRepeatable, isWrite } from "@continuum-cache/core/kit";
import { argumentText } from "../protocol/argument-text.ts";
import { noPermission, notAvailable, notInRest } from "../protocol/service-texts.ts";
import type { Access } from "../request/authorization.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Commands that change or watch a connection, which REST does not have, or that would block the shared connection. */
const outsideRest = words(`
  AUTH CLIENT HELLO QUIT RESET SELECT
  DISCARD EXEC MULTI UNWATCH WATCH
  MONITOR PSUBSCRIBE PUNSUBSCRIBE SUBSCRIBE UNSUBSCRIBE
  BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN
`);

/** Commands of Redis that the service lacks. `POST` and `HOST:` make Redis drop the connection that requests share. */
const unavailable = words(`
  ASKING BGREWRITEAOF BGSAVE CLUSTER COMMANDLOG DEBUG FAILOVER LASTSAVE LATENCY LCS LOLWUT MIGRATE MODULE MOVE OBJECT
  PFDEBUG PFSELFTEST PSYNC READONLY READWRITE REPLCONF REPLICAOF RESTORE-ASKING ROLE SAVE SHUTDOWN SLAVEOF SLOWLOG SORT
  SORT_RO SPUBLISH SSUBSCRIBE SUBSTR SUNSUBSCRIBE SWAPDB SYNC XSETID POST HOST:
`);

/** The only setting that the service shows and lets its users change. */
export const openSetting = "notify-keyspace-events";

/** Commands of which the service has only these subcommands, and none that a newer Redis may add. */
const subcommands: Readonly<Record<string, ReadonlySet<string>>> = {
  ACL: words("RESTTOKEN"),
  CONFIG: words("GET SET"),
  FUNCTION: words("LOAD LIST DELETE FLUSH STATS KILL"),
  MEMORY: words("USAGE"),
  PUBSUB: words("CHANNELS NUMPAT NUMSUB"),
  SCRIPT: words("LOAD EXISTS FLUSH KILL"),
};

/** Reads of the whole database, and scripts, are too powerful for a token that browsers see. */
const notReadOnly = words("SCAN KEYS SCRIPT EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO");

/**
 * The service's error for a command that must not reach the engine; `undefined` when the command is allowed.
 *
 * @param command - With its name in upper case.
 */
export function refusalOf(command: Command, access: Access): string | undefined {
  const [name] = command;
  if (outsideRest.has(name) || blocks(command)) return notInRest(name);
  if (unavailable.has(name) || !hasSubcommand(command)) return notAvailable(name);
  if (access === "read-only" && !isPlainRead(command)) return noPermission(name);
  return undefined;
}

function hasSubcommand([name, first, ...rest]: Command): boolean {
  const subcommand = argumentText(first).toUpperCase();
  // Without a subcommand the service answers an empty list.
  if (name === "COMMAND") return first === undefined;
  // All of its pairs must be allowed, not only the first.
  if (name === "CONFIG" && subcommand === "SET") {
    return rest.length === 2 && argumentText(rest[0]).toLowerCase() === openSetting;
  }
  // The DB option would copy into another database of the same Redis.
  if (name === "COPY") return !rest.slice(1).some((option) => argumentText(option).toUpperCase() === "DB");
  return !Object.hasOwn(subcommands, name) || subcommands[name]?.has(subcommand) === true;
}

/**
 * What the one table of commands calls a read. PUBLISH stores nothing, but it has an effect, so it may not be repeated.
 */
const isPlainRead = (command: Command): boolean =>
  !notReadOnly.has(command[0]) && !isWrite(command) && isRepeatable(command);

/** Whether XREAD or XREADGROUP has the option BLOCK. A group or a consumer may be named "block". */
function blocks([name, ...args]: Command): boolean {
  if (name !== "XREAD" && name !== "XREADGROUP") return false;
  const options = args.slice(name === "XREADGROUP" ? 3 : 0).map((arg) => argumentText(arg).toUpperCase());
  const streams = options.indexOf("STREAMS");
  return options.slice(0, streams < 0 ? undefined : streams).includes("BLOCK");
}
