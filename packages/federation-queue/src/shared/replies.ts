import { isCommandError, type Reply } from "@continuum-cache/core";

/** A reply that must not be an error. @throws CommandError when it is one. */
export function unwrap(reply: Reply | undefined): Reply {
  if (isCommandError(reply)) throw reply;
  return reply ?? null;
}

/** The server's time in milliseconds, from a TIME reply. */
export function timeMs(time: Reply): number {
  const [seconds, micros] = time as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
