import { TransportError } from "@continuum-cache/core";
import { transportName } from "./tcp-error.ts";

/**
 * What a connection that many callers share can't carry: commands that change the connection itself or hold it up.
 * One caller's SELECT would send everybody's keys into another database.
 */
export const ownConnectionOnly: ReadonlySet<string> = new Set([
  ...["AUTH", "HELLO", "QUIT", "RESET", "SELECT", "MONITOR", "SYNC", "PSYNC"],
  ...["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
  ...["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF"],
]);

/** Names the command, and the way that is open instead. */
export function unshareableError(name: string): TransportError {
  return new TransportError(
    "protocol",
    `${name.toUpperCase()} needs a connection of its own: use \`{ atomic: true }\` for a transaction, \`subscribe\` to listen, or \`transport.client.duplicate()\``,
    { transport: transportName, delivery: "none" },
  );
}
