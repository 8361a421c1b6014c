import { type Command, TransportError } from "@continuum-cache/core";
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

/**
 * Checks a trip before anything of it is sent.
 *
 * @throws TransportError of kind `protocol` that names the command and the way that is open instead.
 */
export function assertShareable(commands: readonly Command[]): void {
  for (const [name] of commands) {
    const upper = name.toUpperCase();
    if (!ownConnectionOnly.has(upper)) continue;
    throw new TransportError(
      "protocol",
      `${upper} needs a connection of its own: use \`{ atomic: true }\` for a transaction, \`subscribe\` to listen, or \`transport.client.duplicate()\``,
      { transport: transportName, delivery: "none" },
    );
  }
}
