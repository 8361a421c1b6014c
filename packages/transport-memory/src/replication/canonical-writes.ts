import { atMillisecond, atSecond, expireTime, milliseconds, seconds, type TimeUnit } from "../commands/expire-time.ts";
import { stringOptions } from "../commands/string-options.ts";
import { never } from "../keyspace/keyspace.ts";
import { integer } from "../numbers/integer.ts";
import { type Bulk, sameBulk } from "../values/bulk.ts";
import type { AppliedWrite, CanonicalWrite } from "./canonical-write.ts";
import { membersPopped, scoresAdded } from "./sorted-set-writes.ts";
import { appended, autoClaimed, claimed, groupChanged, readInGroup } from "./stream-writes.ts";
import { wholeOf } from "./whole-value.ts";

/** The effects of a write; none if its condition was not met. */
export function canonicalWrites(write: AppliedWrite): CanonicalWrite[] {
  return (readers[write.name] ?? change)(write);
}

type Reader = (write: AppliedWrite) => CanonicalWrite[];

const remove: Reader = ({ args }) => args.map((key) => ({ kind: "delete", key }));

/** The string under a key after a write; a delete if it has expired already. */
const stored = ({ at }: AppliedWrite, key: Bulk, keepTtl = false): CanonicalWrite => {
  const entry = at(key);
  if (entry?.value.type !== "string") return { kind: "delete", key };
  return { kind: "set", key, value: entry.value.bulk, expiresAtMs: entry.expiresAtMs, keepTtl };
};
const setFirst: Reader = (write) => [stored(write, write.args[0] as Bulk)];
/** Read from the arguments: in a small memory one key may have evicted another already. */
const setPairs: Reader = ({ args }) =>
  args.flatMap((key, index): CanonicalWrite[] => {
    const value = args[index + 1];
    if (index % 2 === 1 || value === undefined) return [];
    return [{ kind: "set", key, value, expiresAtMs: never, keepTtl: false }];
  });
const when =
  (isMet: (write: AppliedWrite) => boolean, then: Reader): Reader =>
  (write) =>
    isMet(write) ? then(write) : [];
const changed = ({ reply }: AppliedWrite): boolean => reply !== 0;

/** Whether the first key holds what the command would store there: then it has done so, or changed nothing. */
const holdsArgument = ({ args: [key, value], at }: AppliedWrite): boolean => {
  const now = at(key as Bulk)?.value;
  return now?.type === "string" && sameBulk(now.bulk, value as Bulk);
};

const set: Reader = (write) => {
  const { condition, comparison, get, keep } = stringOptions("SET", write.args.slice(2));
  const change = [stored(write, write.args[0] as Bulk, keep === "KEEPTTL")];
  if (comparison && get) return holdsArgument(write) ? change : [];
  const refused = get ? (condition === "NX") === (write.reply !== null) : write.reply === null;
  return (condition || comparison) && refused ? [] : change;
};

const add =
  (sign: 1n | -1n): Reader =>
  ({ args: [key, difference] }) => [
    { kind: "add", key: key as Bulk, difference: sign * (difference === undefined ? 1n : integer(difference)) },
  ];

const push =
  (end: "head" | "tail"): Reader =>
  ({ args: [key, ...items] }) => [{ kind: "push", key: key as Bulk, end, items }];

const pop =
  (end: "head" | "tail"): Reader =>
  ({ args: [key], reply }) => {
    const count = reply === null ? 0 : Array.isArray(reply) ? reply.length : 1;
    return count === 0 ? [] : [{ kind: "pop", key: key as Bulk, end, count }];
  };

const endNamed = (bulk: Bulk | undefined): "head" | "tail" =>
  typeof bulk === "string" && bulk.toUpperCase() === "LEFT" ? "head" : "tail";
const move =
  (ends: (args: readonly Bulk[]) => readonly ["head" | "tail", "head" | "tail"]): Reader =>
  ({ args, reply }) => {
    if (typeof reply !== "string" && !(reply instanceof Uint8Array)) return [];
    const [source, target] = args as readonly [Bulk, Bulk];
    const [from, to] = ends(args);
    return [
      { kind: "pop", key: source, end: from, count: 1 },
      { kind: "push", key: target, end: to, items: [reply] },
    ];
  };

const rename: Reader = ({ args, at }) => {
  const [from, key] = args as readonly [Bulk, Bulk];
  const entry = at(key);
  if (from === key || !entry) return [];
  return [{ kind: "delete", key: from }, { kind: "delete", key }, ...wholeOf(key, entry)];
};

/** Without a condition the primary's key gets this expiry too, whether or not this memory has the key. */
const expire =
  (unit: TimeUnit): Reader =>
  ({ name, args: [key, time, ...conditions], reply, nowMs }) => {
    if (reply === 0 && conditions.length > 0) return [];
    return [{ kind: "expire", key: key as Bulk, expiresAtMs: expireTime(name, time as Bulk, unit, nowMs) }];
  };
const getAndExpire: Reader = ({ args: [key, ...words], nowMs }) => {
  const { keep, expiry } = stringOptions("GETEX", words);
  if (keep) return [{ kind: "expire", key: key as Bulk, expiresAtMs: never }];
  if (!expiry) return [];
  return [{ kind: "expire", key: key as Bulk, expiresAtMs: expireTime("GETEX", expiry.time, expiry.unit, nowMs) }];
};

const change: Reader = ({ name, args: [key, ...args] }) => [{ kind: "change", key: key as Bulk, name, args }];

const readers: Readonly<Record<string, Reader>> = {
  DEL: remove,
  UNLINK: remove,
  GETDEL: remove,
  DELEX: when(changed, ({ args: [key] }) => [{ kind: "delete", key: key as Bulk }]),
  FLUSHDB: () => [{ kind: "flush" }],
  FLUSHALL: () => [{ kind: "flush" }],
  SET: set,
  SETEX: setFirst,
  PSETEX: setFirst,
  GETSET: setFirst,
  SETNX: when(changed, setFirst),
  MSET: setPairs,
  MSETNX: when(changed, setPairs),
  INCR: add(1n),
  INCRBY: add(1n),
  DECR: add(-1n),
  DECRBY: add(-1n),
  LPUSH: push("head"),
  RPUSH: push("tail"),
  LPUSHX: when(changed, push("head")),
  RPUSHX: when(changed, push("tail")),
  LPOP: pop("head"),
  RPOP: pop("tail"),
  RPOPLPUSH: move(() => ["tail", "head"]),
  LMOVE: move((args) => [endNamed(args[2]), endNamed(args[3])]),
  RENAME: rename,
  RENAMENX: when(changed, rename),
  EXPIRE: expire(seconds),
  PEXPIRE: expire(milliseconds),
  EXPIREAT: expire(atSecond),
  PEXPIREAT: expire(atMillisecond),
  PERSIST: ({ args: [key] }) => [{ kind: "expire", key: key as Bulk, expiresAtMs: never }],
  GETEX: getAndExpire,
  ZADD: scoresAdded,
  ZPOPMIN: membersPopped,
  ZPOPMAX: membersPopped,
  XADD: appended,
  XGROUP: groupChanged,
  XREADGROUP: readInGroup,
  XCLAIM: claimed,
  XAUTOCLAIM: autoClaimed,
  HSETNX: when(changed, ({ args: [key, ...args] }) => [{ kind: "change", key: key as Bulk, name: "HSET", args }]),
};
