import type { KeyFamily } from "../keys/key-pattern.ts";
import { madeKeys } from "../keys/made-keys.ts";
import { type Duration, toMs } from "../time/duration.ts";

/** How long a value lives: `Infinity` for no expiry. */
export type TimeToLive = Duration | typeof Number.POSITIVE_INFINITY;

/** How long a value lives in milliseconds, `undefined` for ever. @throws ConfigError when it can't be. */
export function ttlToMs(ttl: TimeToLive, name = "ttl"): number | undefined {
  return ttl === Number.POSITIVE_INFINITY ? undefined : toMs(ttl, name);
}

/** What SET says about expiry. Whole seconds are sent as seconds, which is what people read in logs. */
export function expiryArguments(ttlMs: number | undefined): readonly (string | number)[] {
  if (ttlMs === undefined) return [];
  return ttlMs % 1_000 === 0 ? ["EX", ttlMs / 1_000] : ["PX", ttlMs];
}

/**
 * Chooses a value's time to live: the call's own, else that of the pattern which made its key, else the cache's
 * default.
 */
export function createTtlChoice(
  defaultMs: number | undefined,
  patterns: readonly KeyFamily[],
): (key: string, own: TimeToLive | undefined) => number | undefined {
  const timed = patterns.filter((pattern) => pattern.ttlMs !== undefined);
  return (key, own) => {
    if (own !== undefined) return ttlToMs(own);
    const family = madeKeys.familyOf(key) ?? timed.find((pattern) => pattern.parse(key));
    return family?.ttlMs ?? defaultMs;
  };
}
