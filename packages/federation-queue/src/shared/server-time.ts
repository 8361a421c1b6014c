import type { Reply } from "@continuum-cache/core";

/** The server's time in milliseconds, from what TIME answers. */
export function timeMs(time: Reply): number {
  const [seconds, micros] = time as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
