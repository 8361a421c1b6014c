import { randomText } from "./random-text.ts";

const dayMs = 86_400_000;

/** How long a marker lives, for a value that lives so long; `undefined` for no expiry. */
export const lifeOf = (ttlMs: number | undefined): number | undefined =>
  ttlMs === undefined ? undefined : Math.max(2 * ttlMs, dayMs);

/** The text of a new marker: random, and when it ends, in seconds since 1970. */
export function markerText(lifeMs: number | undefined): string {
  return lifeMs === undefined ? `${randomText()}.` : `${randomText()}.${Math.floor((Date.now() + lifeMs) / 1_000)}`;
}

/**
 * When a marker ends, unless it was given a longer life. By the clock of the process that created it: a wrong clock
 * makes a miss or a command too much, and nothing else.
 */
export function markerEndsMs(text: string): number {
  const seconds = text.slice(text.indexOf(".") + 1);
  return seconds === "" ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000;
}
