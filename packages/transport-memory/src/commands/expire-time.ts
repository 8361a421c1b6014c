import { integer, maxInteger } from "../numbers/integer.ts";
import type { Bulk } from "../values/bulk.ts";
import { invalidExpireTime } from "../values/refusals.ts";

/** What an expiry argument counts: seconds or milliseconds, from now on or since 1970. */
export interface TimeUnit {
  readonly ms: 1 | 1_000;
  readonly absolute: boolean;
}

export const seconds: TimeUnit = { ms: 1_000, absolute: false };
export const milliseconds: TimeUnit = { ms: 1, absolute: false };
export const atSecond: TimeUnit = { ms: 1_000, absolute: true };
export const atMillisecond: TimeUnit = { ms: 1, absolute: true };

/** The words of SET and GETEX that come with a time. */
export const timeUnits: Readonly<Record<string, TimeUnit>> = {
  EX: seconds,
  PX: milliseconds,
  EXAT: atSecond,
  PXAT: atMillisecond,
};

/**
 * An expiry argument as milliseconds since 1970; it may lie in the past.
 *
 * @throws CommandError when it is no integer, or beyond what 64 bits of milliseconds hold.
 */
export function expireTime(command: string, bulk: Bulk, unit: TimeUnit, nowMs: number): number {
  const ms = integer(bulk) * BigInt(unit.ms);
  const baseMs = unit.absolute ? 0n : BigInt(Math.floor(nowMs));
  if (ms > maxInteger - baseMs || ms < -maxInteger - 1n) throw invalidExpireTime(command);
  return Number(ms + baseMs);
}

/** The same where a time that is not above zero is refused. */
export function positiveExpireTime(command: string, bulk: Bulk, unit: TimeUnit, nowMs: number): number {
  if (integer(bulk) <= 0n) throw invalidExpireTime(command);
  return expireTime(command, bulk, unit, nowMs);
}
