import { type Command, TransportError } from "@continuum-cache/core";
import { lackFor } from "@continuum-cache/transport-memory/kit";
import type { Delivery } from "../journal/write-context.ts";

const flushes: readonly string[] = ["FLUSHDB", "FLUSHALL"];

/** Why the memory can't run commands in the primary's place, whatever it holds: the error message. */
export function localRefusal(commands: readonly Command[]): string | undefined {
  for (const command of commands) {
    const name = command[0].toUpperCase();
    if (flushes.includes(name)) return flushRefused;
    if (name === "DELEX" && command.length > 2) return conditionalDeleteRefused;
    const lack = lackFor(command);
    if (lack !== undefined) return notSupported(lack);
  }
  return undefined;
}

/** A flush that is replayed later would delete what other processes have written meanwhile. */
export const flushRefused: string =
  "FLUSHDB and FLUSHALL are refused while the primary is away: call them when it is back, or delete by pattern";

/** A deletion is replayed whatever the key holds by then, which is not what a condition says. */
const conditionalDeleteRefused: string =
  "DELEX with a condition is refused while the primary is away, since a replay could delete a newer value: try " +
  "again when it is back, or let the key expire";

export const notSupported = (lack: string): string =>
  "The primary is away, and the memory that answers in its place " +
  `can't do this (${lack}): try again when the primary is back`;

export const journalIsFull: string =
  "The outage journal is full, so no more writes are accepted while the primary is away: " +
  "raise `journal.maxBytes` or `journal.maxEntries`, or try again when it is back";

/** @param delivery - Whether the primary, or this memory, may have run a part of it. */
export const refusedLocally = (message: string, delivery: Delivery): TransportError =>
  new TransportError("unreachable", message, { transport: "fallback", delivery });
