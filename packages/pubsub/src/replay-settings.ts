import { toMs } from "@continuum-cache/core";
import type { ReplayOptions } from "./replay-options.ts";

/** Replay options as they are worked with: checked, defaults filled in. */
export interface ReplaySettings {
  readonly count: number;
  readonly ageMs: number;
  /**
   * How long a history lives after its last message. Longer than its messages, since it keeps their count: whoever was
   * away is told a number only as long as somebody knows it.
   */
  readonly keyTtlMs: number;
}

const dayMs = 86_400_000;

/** @returns nothing where there is to be no history. @throws RangeError when an option is out of its range. */
export function readReplay(replay: boolean | ReplayOptions): ReplaySettings | undefined {
  if (replay === false) return undefined;
  const { count = 1_000, age = "1h" } = typeof replay === "object" ? replay : {};
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Expected \`replay.count\` to be a whole number of at least 1, got ${String(count)}`);
  }
  const ageMs = toMs(age, "replay.age");
  return { count, ageMs, keyTtlMs: Math.round(ageMs * upkeepSlack + Math.max(ageMs, dayMs)) };
}

/** Upkeep comes once in an eighth of the age, so messages may stay that much longer. */
const upkeepSlack = 9 / 8;
