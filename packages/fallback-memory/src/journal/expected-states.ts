import { isSealed, sha1, toTextForm } from "@continuum-cache/core/kit";
import { type Bulk, never } from "@continuum-cache/transport-memory/kit";
import type { LastSeenValue } from "../last-seen/last-seen-values.ts";
import type { Segment } from "./segment.ts";

/**
 * The states of a key that this process wrote or saw at the primary, with the time at which each expires: SHA-1 of
 * the value, or `absent`. Any other state was written by another process.
 */
export type ExpectedStates = ReadonlyMap<string, number>;

/** The state of a key that does not exist. */
export const absent = "absent";

/**
 * The states in which the primary may have a key, as far as this process knows; `undefined` if it knows nothing.
 *
 * @param replaying - The segment that is being replayed.
 */
export function expectedStates(
  seen: LastSeenValue | undefined,
  replaying: Segment | undefined,
  key: Bulk,
): Map<string, number> | undefined {
  const earlier = replaying?.changeOf(key);
  const isDeleted = replaying?.deletesKey(key) ?? false;
  if (!seen && !earlier && !isDeleted) return undefined;
  const states = new Map(earlier?.expected);
  addState(states, seen?.value ?? null, seen?.expiresAtMs ?? never);
  if (isDeleted) addState(states, null, never);
  if (earlier?.set) addState(states, earlier.set.value, earlier.set.expiresAtMs);
  return states;
}

export function addState(states: Map<string, number>, value: Bulk | null, expiresAtMs: number): void {
  if (value === null) {
    states.set(absent, never);
    return;
  }
  states.set(sha1(value), expiresAtMs);
  // Over REST a sealed value may have been written in its text form.
  if (value instanceof Uint8Array && isSealed(value)) states.set(sha1(toTextForm(value)), expiresAtMs);
}
