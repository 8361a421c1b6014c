import { type Argument, type Command, TransportError } from "@continuum-cache/core";
import { transportName } from "../tcp-error.ts";

/**
 * What a connection that many callers share can't carry: commands that change the connection itself or hold it up.
 * One caller's SELECT would send everybody's keys into another database. Of CLIENT it is a part: see `assertShareable`.
 */
export const ownConnectionOnly: ReadonlySet<string> = new Set([
  ...["AUTH", "CLIENT", "HELLO", "QUIT", "RESET", "SELECT", "MONITOR", "SYNC", "PSYNC"],
  ...["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
  ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"],
  ...["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF"],
]);

/** After these the server leaves replies out, or sends others than those of the commands. */
const ownConnectionOfClient: ReadonlySet<string> = new Set(["REPLY", "TRACKING", "CACHING"]);

/**
 * Names the command, and the way that is open instead.
 *
 * @param command - One of `ownConnectionOnly`.
 */
export function assertShareable([command, part]: Command): void {
  let name = command.toUpperCase();
  if (name === "CLIENT") {
    const ofClient = textOf(part).toUpperCase();
    if (!ownConnectionOfClient.has(ofClient)) return;
    name += ` ${ofClient}`;
  }
  throw new TransportError(
    "protocol",
    `${name} needs a connection of its own: use \`{ atomic: true }\` for a transaction, \`subscribe\` to ` +
      "listen, or `transport.client.duplicate()`",
    { transport: transportName, delivery: "none" },
  );
}

const textOf = (part: Argument | undefined): string =>
  part instanceof Uint8Array ? new TextDecoder().decode(part) : String(part);
