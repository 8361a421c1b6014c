import { never } from "../keyspace/keyspace.ts";
import { integer, isInteger64, minInteger, parseInteger } from "../numbers/integer.ts";
import { addLongDoubles, formatLongDouble, type LongDouble, parseLongDouble } from "../numbers/long-double.ts";
import type { Bulk } from "../values/bulk.ts";
import { notAFloat, notAnInteger, refusal, wouldOverflow } from "../values/refusals.ts";
import { createText, expectType } from "../values/stored-value.ts";
import { type CommandContext, type CommandRows, row } from "./command-row.ts";

/** The sum as it is to be stored. @throws CommandError when 64 bits can't hold it. */
export function addIntegers(value: bigint, difference: bigint): bigint {
  const sum = value + difference;
  if (!isInteger64(sum)) throw wouldOverflow();
  return sum;
}

/** The sum as it is to be stored. @throws CommandError when there is none. */
export function addFloats(value: LongDouble, difference: LongDouble): string {
  const sum = addLongDoubles(value, difference);
  if (sum === undefined || typeof sum === "string") throw refusal("ERR increment would produce NaN or Infinity");
  return formatLongDouble(sum);
}

function increase({ keyspace }: CommandContext, key: Bulk, difference: bigint): number {
  const entry = keyspace.find(key);
  const text = expectType("string", entry?.value);
  const value = text ? parseInteger(text.bulk) : 0n;
  if (value === undefined) throw notAnInteger();
  const sum = addIntegers(value, difference);
  keyspace.put(key, createText(String(sum)), entry?.expiresAtMs ?? never);
  return Number(sum);
}

export const counters: CommandRows = {
  INCR: row(2, (context, [key]) => increase(context, key, 1n)),
  DECR: row(2, (context, [key]) => increase(context, key, -1n)),
  INCRBY: row(3, (context, [key, difference]) => increase(context, key, integer(difference))),
  DECRBY: row(3, (context, [key, difference]) => {
    const value = integer(difference);
    if (value === minInteger) throw refusal("ERR decrement would overflow");
    return increase(context, key, -value);
  }),
  INCRBYFLOAT: row(3, ({ keyspace }, [key, difference]) => {
    const entry = keyspace.find(key);
    const text = expectType("string", entry?.value);
    const value = parseLongDouble(text?.bulk ?? "0");
    const added = parseLongDouble(difference);
    if (value === undefined || added === undefined) throw notAFloat();
    const sum = addFloats(value, added);
    keyspace.put(key, createText(sum), entry?.expiresAtMs ?? never);
    return sum;
  }),
};
