import { assertOptions, ConfigError, type KnownOptions, toMs, wholeNumberOption } from "@continuum-cache/core";
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

const known: KnownOptions<ReplayOptions> = { count: true, age: true };

/** @returns nothing where there is to be no history. @throws ConfigError when an option can't be. */
export function readReplay(replay: boolean | ReplayOptions): ReplaySettings | undefined {
  if (replay === false) return undefined;
  if (replay !== true && (typeof replay !== "object" || replay === null)) {
    throw new ConfigError("replay", `Expected \`replay\` to be true, false or { count, age }, got ${typeof replay}`);
  }
  const options = replay === true ? {} : replay;
  assertOptions("replay", options, known);
  const count = wholeNumberOption("replay.count", options.count ?? 1_000);
  const ageMs = toMs(options.age ?? "1h", "replay.age");
  return { count, ageMs, keyTtlMs: Math.round(ageMs * upkeepSlack + Math.max(ageMs, dayMs)) };
}

/** Upkeep comes once in an eighth of the age, so messages may stay that much longer. */
const upkeepSlack = 9 / 8;
