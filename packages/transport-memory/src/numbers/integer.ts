import type { Bulk } from "../values/bulk.ts";
import { notAnInteger, refusal } from "../values/refusals.ts";

export const minInteger: bigint = -(2n ** 63n);
export const maxInteger: bigint = 2n ** 63n - 1n;

/** A 64-bit integer written as Redis writes it (no sign but "-", no leading zero, no blank), or `undefined`. */
export function parseInteger(bulk: Bulk): bigint | undefined {
  if (typeof bulk !== "string" || bulk.length > 20 || !/^(?:0|-?[1-9]\d*)$/.test(bulk)) return undefined;
  const value = BigInt(bulk);
  return isInteger64(value) ? value : undefined;
}

/** Whether 64 bits hold it. */
export function isInteger64(value: bigint): boolean {
  return value >= minInteger && value <= maxInteger;
}

/** An integer argument. @throws CommandError "value is not an integer or out of range". */
export function integer(bulk: Bulk): bigint {
  const value = parseInteger(bulk);
  if (value === undefined) throw notAnInteger();
  return value;
}

/** The same for a place or a count, where beyond 2^53 one number is as good as the next. */
export function index(bulk: Bulk): number {
  return Number(integer(bulk));
}

/** How many to pop, at most. @throws CommandError "value is out of range, must be positive". */
export function positiveCount(bulk: Bulk): number {
  const count = parseInteger(bulk);
  if (count === undefined || count < 0n) throw refusal("ERR value is out of range, must be positive");
  return Number(count);
}
