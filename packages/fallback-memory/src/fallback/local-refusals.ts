import { type Command, TransportError } from "@continuum-cache/core";
import { lackFor } from "@continuum-cache/transport-memory/kit";
import type { Fate } from "../journal/noting.ts";

const flushes: readonly string[] = ["FLUSHDB", "FLUSHALL"];

/** Why commands can't be done in the primary's place, whatever the memory holds: in words, with what to do. */
export function refusalOf(commands: readonly Command[]): string | undefined {
  for (const command of commands) {
    if (flushes.includes(command[0].toUpperCase())) return noFlush;
    const lack = lackFor(command);
    if (lack !== undefined) return cannotAnswer(lack);
  }
  return undefined;
}

/** To flush the primary later would delete what others have written by then. */
export const noFlush =
  "FLUSHDB and FLUSHALL are not done while the primary is away: call them when it is back, or delete by pattern";

export const cannotAnswer = (lack: string): string =>
  `The primary is away, and the memory that answers in its place can't do this (${lack}): try again when the primary is back`;

export const journalIsFull =
  "The outage journal is full, so no more writes are accepted while the primary is away: raise `journal.maxBytes` or `journal.maxEntries`, or try again when it is back";

/** @param fate - Whether the primary, or this memory, may have done a part of it. */
export const refusedHere = (message: string, fate: Fate): TransportError =>
  new TransportError("unreachable", message, { transport: "fallback", delivery: fate });
