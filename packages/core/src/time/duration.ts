import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";

/**
 * A length of time. A bare number is **seconds**, as in Redis; a string carries its unit.
 *
 * @example
 * ```ts
 * import type { Duration } from "@continuum-cache/core";
 *
 * const minute: Duration = 60;
 * const same: Duration = "1m";
 * const short: Duration = "250ms";
 * ```
 */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A duration in whole milliseconds, at least 1.
 *
 * @param name - What the duration is for, to be named in the error.
 * @throws ConfigError when it is not a positive, finite time; the message quotes what came.
 *
 * @example
 * ```ts
 * import { toMs } from "@continuum-cache/core/kit";
 *
 * toMs("5m", "ttl"); // 300000
 * toMs(60, "ttl"); // 60000
 * ```
 */
export function toMs(duration: Duration, name: string): number {
  const ms = typeof duration === "number" ? duration * 1_000 : parse(duration);
  if (!(ms > 0) || !Number.isFinite(ms) || ms > Number.MAX_SAFE_INTEGER) {
    throw new ConfigError(
      name,
      `Expected \`${name}\` to be a positive number of seconds or a string like "250ms", "30s", "5m", "1h" or ` +
        `"1d", got ${quoted(duration)}`,
    );
  }
  return Math.max(1, Math.round(ms));
}

/** The longest that a timer can wait, in milliseconds: some 24.8 days. Beyond it a timer fires at once. */
export const longestTimerMs: number = 2 ** 31 - 1;

/**
 * How long to wait at most, in whole milliseconds: a duration that no timer can hold counts as the longest that one
 * can.
 *
 * @throws ConfigError as `toMs` does.
 *
 * @example
 * ```ts
 * import { toTimeoutMs } from "@continuum-cache/core/kit";
 *
 * toTimeoutMs("2s", "timeout"); // 2000
 * toTimeoutMs("100d", "timeout"); // 2147483647
 * ```
 */
export function toTimeoutMs(duration: Duration, name: string): number {
  return Math.min(toMs(duration, name), longestTimerMs);
}

function parse(text: unknown): number {
  const match = typeof text === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null;
  return match ? Number(match[1]) * unitMs[match[2] as keyof typeof unitMs] : Number.NaN;
}
