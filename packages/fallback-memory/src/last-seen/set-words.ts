import type { Argument, Clock, Command } from "@continuum-cache/core";
import { never } from "@continuum-cache/transport-memory/kit";

/** Whether a SET has GET, so that its reply is what the key held before: that may be the text OK too. */
export function answersOldValue(command: Command): boolean {
  for (let at = 3; at < command.length; at++) {
    const word = command[at];
    if (typeof word === "string" && word.length === 3 && word.toUpperCase() === "GET") return true;
  }
  return false;
}

/** When a value that was set with these options expires; `never` with options that do not say. */
export function endOf(unit: Argument | undefined, time: Argument | undefined, clock: Clock): number {
  const count = Number(time);
  switch (typeof unit === "string" ? unit.toUpperCase() : "") {
    case "EX":
      return clock.now() + count * 1_000;
    case "PX":
      return clock.now() + count;
    case "EXAT":
      return count * 1_000;
    case "PXAT":
      return count;
    default:
      return never;
  }
}
