import { type Argument, type Command, TransportError } from "@continuum-cache/core";
import { transportName } from "./tcp-error.ts";

/**
 * What a connection that many callers share can't carry: commands that change the connection itself or hold it up.
 * One caller's SELECT would send everybody's keys into another database.
 */
const ownConnectionOnly: ReadonlySet<string> = new Set([
  ...["AUTH", "HELLO", "QUIT", "RESET", "SELECT", "MONITOR", "SYNC", "PSYNC"],
  ...["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
  ...["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF"],
]);

/** Those of CLIENT: the server would then leave replies out, or send more than one for each command. */
const ownConnectionOfClient: ReadonlySet<string> = new Set(["REPLY", "TRACKING", "CACHING"]);

/** The name of a command that such a connection can't carry; undefined for all others. */
export function unshareable(command: Command): string | undefined {
  const name = command[0].toUpperCase();
  if (ownConnectionOnly.has(name)) return name;
  if (name !== "CLIENT") return undefined;
  const part = textOf(command[1]).toUpperCase();
  return ownConnectionOfClient.has(part) ? `${name} ${part}` : undefined;
}

const textOf = (part: Argument | undefined): string =>
  part instanceof Uint8Array ? new TextDecoder().decode(part) : String(part);

/** Names the command, and the way that is open instead. */
export function unshareableError(name: string): TransportError {
  return new TransportError(
    "protocol",
    `${name} needs a connection of its own: use \`{ atomic: true }\` for a transaction, \`subscribe\` to listen, or \`transport.client.duplicate()\``,
    { transport: transportName, delivery: "none" },
  );
}
