import { isSealed, sha1, toTextForm } from "@continuum-cache/core/kit";
import { type Bulk, never } from "@continuum-cache/transport-memory/kit";
import type { KnownValue } from "../known/known-values.ts";
import type { Segment } from "./segment.ts";
import { absent } from "./set-unless-written.ts";

/**
 * What of this process's doing, or knowledge, the primary may hold under a key; without any, nothing.
 *
 * @param underway - What is being told to the primary.
 */
export function ownStates(
  before: KnownValue | undefined,
  underway: Segment | undefined,
  key: Bulk,
): Map<string, number> | undefined {
  const earlier = underway?.intentOf(key);
  const isDeleted = underway?.deletesKey(key) ?? false;
  if (!before && !earlier && !isDeleted) return undefined;
  const own = new Map(earlier?.own);
  addState(own, before?.value ?? null, before?.expiresAtMs ?? never);
  if (isDeleted) addState(own, null, never);
  if (earlier?.set) addState(own, earlier.set.value, earlier.set.expiresAtMs);
  return own;
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
