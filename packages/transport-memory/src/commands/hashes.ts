import { TextMap } from "@continuum-cache/core/kit";
import { never } from "../keyspace/keyspace.ts";
import { integer, parseInteger } from "../numbers/integer.ts";
import { parseLongDouble } from "../numbers/long-double.ts";
import { type Bulk, bulkOfId, byteLength, handOut, idOf } from "../values/bulk.ts";
import { createHash, deleteField, fieldOf, fieldsOf, growthBy, type Hash, pageOf, setField } from "../values/hash.ts";
import { notAFloat, refusal, wrongArity } from "../values/refusals.ts";
import { expectType } from "../values/stored-value.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";
import { addFloats, addIntegers } from "./counters.ts";
import { scanCursor, scanOptions } from "./scan.ts";

const hashAt = ({ keyspace }: CommandContext, key: Bulk): Hash | undefined =>
  expectType("hash", keyspace.find(key)?.value);
const bulkAt = (context: CommandContext, key: Bulk, field: Bulk): Bulk | undefined => {
  const hash = hashAt(context, key);
  return hash && fieldOf(hash, field);
};
const entriesAt = (context: CommandContext, key: Bulk): Iterable<readonly [Bulk, Bulk]> => {
  const hash = hashAt(context, key);
  return hash ? fieldsOf(hash) : [];
};
const orNull = (bulk: Bulk | undefined): Bulk | null => (bulk === undefined ? null : handOut(bulk));

/** Sets fields, a new hash if need be, and counts the new ones. Nothing is changed when it does not fit. */
function setFields({ keyspace }: CommandContext, key: Bulk, pairs: Iterable<readonly [Bulk, Bulk]>): number {
  const entry = keyspace.find(key);
  const hash = expectType("hash", entry?.value) ?? createHash();
  let bytes = hash.bytes;
  for (const [field, value] of pairs) bytes += growthBy(hash, field, value);
  keyspace.assertFits(key, bytes);
  let added = 0;
  for (const [field, value] of pairs) if (setField(hash, field, value)) added++;
  keyspace.put(key, hash, entry?.expiresAtMs ?? never);
  return added;
}

const setOne = (context: CommandContext, key: Bulk, field: Bulk, value: Bulk): number =>
  setFields(context, key, [[field, value]]);

/** HSET and HMSET. */
const set = (answer: (added: number) => number | string): CommandRow =>
  row(-4, (context, [key, ...rest]) => {
    if (rest.length % 2 === 1) throw wrongArity(context.name);
    // The last of several values for one field counts.
    const pairs = new TextMap<readonly [Bulk, Bulk]>();
    for (let at = 0; at < rest.length; at += 2) {
      const [field, value] = rest.slice(at, at + 2) as readonly Bulk[] as readonly [Bulk, Bulk];
      pairs.set(idOf(field), [field, value]);
    }
    return answer(setFields(context, key, [...pairs.values()]));
  });

const list = (part: (entry: readonly [Bulk, Bulk]) => readonly Bulk[]): CommandRow =>
  row(2, (context, [key]) => [...entriesAt(context, key)].flatMap(part).map(handOut));

export const hashes: CommandRows = {
  HGET: row(3, (context, [key, field]) => orNull(bulkAt(context, key, field))),
  HMGET: row(-3, (context, [key, ...fields]) => {
    const hash = hashAt(context, key);
    return fields.map((field) => orNull(hash && fieldOf(hash, field)));
  }),
  HGETALL: list((entry) => entry),
  HKEYS: list(([field]) => [field]),
  HVALS: list(([, value]) => [value]),
  HEXISTS: row(3, (context, [key, field]) => (bulkAt(context, key, field) === undefined ? 0 : 1)),
  HLEN: row(2, (context, [key]) => hashAt(context, key)?.fields.size ?? 0),
  HSTRLEN: row(3, (context, [key, field]) => byteLength(bulkAt(context, key, field) ?? "")),
  HSET: set((added) => added),
  HMSET: set(() => "OK"),
  HSETNX: row(4, (context, [key, field, value]) =>
    bulkAt(context, key, field) === undefined ? setOne(context, key, field, value) : 0,
  ),
  HDEL: row(-3, (context, [key, ...fields]) => {
    const entry = context.keyspace.find(key);
    const hash = expectType("hash", entry?.value);
    if (!entry || !hash) return 0;
    const deleted = fields.filter((field) => deleteField(hash, field)).length;
    if (hash.fields.size === 0) context.keyspace.remove(key);
    else if (deleted > 0) context.keyspace.put(key, hash, entry.expiresAtMs);
    return deleted;
  }),
  HINCRBY: row(4, (context, [key, field, difference]) => {
    const added = integer(difference);
    const value = parseInteger(bulkAt(context, key, field) ?? "0");
    if (value === undefined) throw refusal("ERR hash value is not an integer");
    const sum = addIntegers(value, added);
    setOne(context, key, field, String(sum));
    return Number(sum);
  }),
  HINCRBYFLOAT: row(4, (context, [key, field, difference]) => {
    const added = parseLongDouble(difference);
    if (added === undefined) throw notAFloat();
    if (typeof added === "string") throw refusal("ERR value is NaN or Infinity");
    const value = parseLongDouble(bulkAt(context, key, field) ?? "0");
    if (value === undefined) throw refusal("ERR hash value is not a float");
    const sum = addFloats(value, added);
    setOne(context, key, field, sum);
    return sum;
  }),
  HSCAN: row(-3, (context, [key, cursor, ...words]) => {
    const from = scanCursor(cursor);
    const hash = hashAt(context, key);
    if (!hash) return ["0", []];
    const { count, matches } = scanOptions(words, { type: false });
    const page = pageOf(hash, from, count);
    const fields = page.ids.map(bulkOfId).filter(matches);
    const found = fields.flatMap((field) => [field, fieldOf(hash, field) as Bulk]);
    return [String(page.cursor), found.map(handOut)];
  }),
};
