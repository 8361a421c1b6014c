import type { Command } from "@continuum-cache/core";
import { keysOf } from "@continuum-cache/core/kit";
import { toBulk } from "@continuum-cache/transport-memory/kit";
import type { LastSeenValues } from "../last-seen/last-seen-values.ts";

/**
 * Commands that give the memory the last seen values of the keys of a trip that is about to run. A value is served
 * until it expires, or until its age exceeds the bound.
 *
 * @param isOurs - Whether this process has changed a key since.
 */
export function warmStart(
  trip: readonly Command[],
  known: LastSeenValues,
  isOurs: (key: string) => boolean,
  nowMs: number,
  maxAgeMs: number,
): Command[] {
  const keys = trip.map(keysOf).filter((each) => each !== "database");
  return keys.flat().flatMap((key): Command[] => {
    const found = known.certain(toBulk(key));
    if (!found || found.value === null) return [];
    const ageMs = performance.now() - found.seenMs;
    const endMs = Math.floor(Math.min(found.expiresAtMs, nowMs + maxAgeMs - ageMs));
    return endMs > nowMs && !isOurs(key) ? [["SET", key, found.value, "PXAT", endMs, "NX"]] : [];
  });
}
