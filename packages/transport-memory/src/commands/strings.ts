import { never } from "../keyspace/keyspace.ts";
import { index } from "../numbers/integer.ts";
import { type Bulk, bulkOf, byteLength, bytesOf, footprint, handOut, word } from "../values/bulk.ts";
import { noDigests, refusal, syntaxError, tooLong, wrongArity } from "../values/refusals.ts";
import { createText, expectType, type Text } from "../values/stored-value.ts";
import { type CommandContext, type CommandRows, row } from "./command-row.ts";
import { milliseconds, positiveExpireTime, seconds, type TimeUnit } from "./expire-time.ts";
import { holds, isComparison, stringOptions } from "./string-options.ts";

/** The longest string that Redis takes, in bytes. */
const longestString = 512 * 1_024 * 1_024;

const textAt = ({ keyspace }: CommandContext, key: Bulk): Text | undefined =>
  expectType("string", keyspace.find(key)?.value);
const bulkAt = (context: CommandContext, key: Bulk): Bulk | null => {
  const text = textAt(context, key);
  return text ? handOut(text.bulk) : null;
};
const put = ({ keyspace }: CommandContext, key: Bulk, value: Bulk, expiresAtMs = never): void =>
  keyspace.put(key, createText(value), expiresAtMs);
const endOf = ({ keyspace }: CommandContext, key: Bulk): number => keyspace.peek(key)?.expiresAtMs ?? never;

/** SETEX and PSETEX. */
const setFor = (unit: TimeUnit) =>
  row(4, (context, [key, time, value]) => {
    put(context, key, value, positiveExpireTime(context.name, time, unit, context.nowMs));
    return "OK";
  });

/** The pairs of MSET and MSETNX, all of which fit. */
function pairsOf({ keyspace, name }: CommandContext, args: readonly Bulk[]): (readonly [key: Bulk, value: Bulk])[] {
  if (args.length % 2 === 1) throw wrongArity(name);
  const pairs: [Bulk, Bulk][] = [];
  for (let at = 0; at < args.length; at += 2) pairs.push([args[at] as Bulk, args[at + 1] as Bulk]);
  for (const [key, value] of pairs) keyspace.assertFits(key, footprint(value));
  return pairs;
}

/** Refuses a length before so many bytes are set aside. */
function assertLength({ keyspace }: CommandContext, key: Bulk, length: number): void {
  if (length > longestString) throw tooLong();
  keyspace.assertFits(key, length);
}

/** Redis' rule for a range whose ends may count from the end; the second end belongs to it. */
function rangeOf(length: number, first: number, last: number): readonly [start: number, end: number] {
  if (first < 0 && last < 0 && first > last) return [0, 0];
  const start = Math.max(0, first < 0 ? length + first : first);
  const end = Math.min(length - 1, Math.max(0, last < 0 ? length + last : last));
  return start > end ? [0, 0] : [start, end + 1];
}

export const strings: CommandRows = {
  GET: row(2, (context, [key]) => bulkAt(context, key)),
  MGET: row(-2, ({ keyspace }, keys) =>
    keys.map((key) => {
      const value = keyspace.find(key)?.value;
      return value?.type === "string" ? handOut(value.bulk) : null;
    }),
  ),
  STRLEN: row(2, (context, [key]) => textAt(context, key)?.length ?? 0),
  GETRANGE: row(4, (context, [key, first, last]) => {
    const [from, to] = [index(first), index(last)];
    const text = textAt(context, key);
    if (!text || text.length === 0) return "";
    return bulkOf(bytesOf(text.bulk).slice(...rangeOf(text.length, from, to)));
  }),
  SET: row(-3, (context, [key, value, ...words]) => {
    if (words.length === 0) {
      put(context, key, value);
      return "OK";
    }
    const { condition, comparison, get, keep, expiry } = stringOptions("SET", words);
    const expiresAtMs = expiry ? positiveExpireTime("SET", expiry.time, expiry.unit, context.nowMs) : never;
    const before = get ? bulkAt(context, key) : null;
    const isThere = context.keyspace.peek(key) !== undefined;
    if ((condition === "NX" && isThere) || (condition === "XX" && !isThere)) return before;
    if (comparison && !holds(comparison, textAt(context, key)?.bulk, context.digest)) return before;
    put(context, key, value, keep ? endOf(context, key) : expiresAtMs);
    return get ? before : "OK";
  }),
  DIGEST: row(2, (context, [key]) => {
    if (!context.digest) throw noDigests();
    const text = textAt(context, key);
    return text ? context.digest(text.bulk) : null;
  }),
  DELEX: row(-2, (context, [key, condition, operand, ...rest]) => {
    if (condition === undefined) return context.keyspace.remove(key) ? 1 : 0;
    const name = word(condition);
    if (operand === undefined || rest.length > 0) throw wrongArity("DELEX");
    if (!isComparison(name)) throw syntaxError();
    const value = context.keyspace.peek(key)?.value;
    if (value && value.type !== "string") {
      throw refusal("ERR Key should be of string type if conditions are specified");
    }
    if (!value || !holds({ name, operand }, value.bulk, context.digest)) return 0;
    context.keyspace.remove(key);
    return 1;
  }),
  SETEX: setFor(seconds),
  PSETEX: setFor(milliseconds),
  SETNX: row(3, (context, [key, value]) => {
    if (context.keyspace.peek(key)) return 0;
    put(context, key, value);
    return 1;
  }),
  MSET: row(-3, (context, args) => {
    for (const [key, value] of pairsOf(context, args)) put(context, key, value);
    return "OK";
  }),
  MSETNX: row(-3, (context, args) => {
    const pairs = pairsOf(context, args);
    if (pairs.some(([key]) => context.keyspace.peek(key))) return 0;
    for (const [key, value] of pairs) put(context, key, value);
    return 1;
  }),
  GETSET: row(3, (context, [key, value]) => {
    const before = bulkAt(context, key);
    put(context, key, value);
    return before;
  }),
  GETDEL: row(2, (context, [key]) => {
    const before = bulkAt(context, key);
    context.keyspace.remove(key);
    return before;
  }),
  GETEX: row(-2, (context, [key, ...words]) => {
    const { keep, expiry } = stringOptions("GETEX", words);
    const text = textAt(context, key);
    if (!text) return null;
    const answer = handOut(text.bulk);
    if (expiry) {
      context.keyspace.put(key, text, positiveExpireTime("GETEX", expiry.time, expiry.unit, context.nowMs));
    } else if (keep) {
      context.keyspace.put(key, text, never);
    }
    return answer;
  }),
  APPEND: row(3, (context, [key, tail]) => {
    const text = textAt(context, key);
    const length = (text?.length ?? 0) + byteLength(tail);
    assertLength(context, key, length);
    put(context, key, text ? joined(text.bulk, tail) : tail, endOf(context, key));
    return length;
  }),
  SETRANGE: row(4, (context, [key, offset, part]) => {
    const at = index(offset);
    if (at < 0) throw refusal("ERR offset is out of range");
    const text = textAt(context, key);
    const partBytes = bytesOf(part);
    if (partBytes.length === 0) return text?.length ?? 0;
    const length = Math.max(text?.length ?? 0, at + partBytes.length);
    assertLength(context, key, at + partBytes.length);
    const bytes = new Uint8Array(length);
    if (text) bytes.set(bytesOf(text.bulk));
    bytes.set(partBytes, at);
    put(context, key, bulkOf(bytes), endOf(context, key));
    return length;
  }),
};

/** Two texts make a text; a character may also be cut in two halves that only together are one. */
function joined(head: Bulk, tail: Bulk): Bulk {
  if (typeof head === "string" && typeof tail === "string") return head + tail;
  const [first, second] = [bytesOf(head), bytesOf(tail)];
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bulkOf(bytes);
}
