import { isRepeatableTrip, isWrite, keysOf } from "../commands/command-facts.ts";
import type { TransportError } from "../errors/transport-error.ts";
import type { Command } from "../ports/transport.ts";
import type { WrittenKeys } from "../trips/written-keys.ts";

/** Whether the same trip may be sent again: it surely never left, or sending it twice does no harm. */
export function mayRetry(error: TransportError, commands: readonly Command[]): boolean {
  if (error.kind !== "unreachable") return false;
  return error.delivery === "none" || isRepeatableTrip(commands);
}

/** Whether a trip would undo, if it were sent again now, what was sent after it. */
export function isOvertaken(commands: readonly Command[], writtenSince: WrittenKeys): boolean {
  if (writtenSince.isEmpty) return false;
  return commands.filter(isWrite).some((command) => {
    const keys = keysOf(command);
    return keys === "database" || keys.some((key) => writtenSince.has(key));
  });
}

/**
 * How long to wait before the next attempt: a random time up to a bound that doubles (50, 100, 200 ms… at most 1 s),
 * so that many callers cut off at once do not come back at once.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(1_000, 50 * 2 ** attempt);
}
