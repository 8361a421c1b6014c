import { atMillisecond, atSecond, expireTime, milliseconds, seconds, type TimeUnit } from "../commands/expire-time.ts";
import { stringOptions } from "../commands/string-options.ts";
import { never } from "../keyspace/keyspace.ts";
import { integer } from "../numbers/integer.ts";
import type { Bulk } from "../values/bulk.ts";
import { fieldsOf } from "../values/hash.ts";
import { elementsOf } from "../values/list.ts";
import type { AcceptedWrite } from "./accepted-write.ts";
import { membersPopped, scoresAdded, wholeSortedSet } from "./sorted-set-writes.ts";
import { appended, autoClaimed, claimed, groupChanged, readInGroup, wholeStream } from "./stream-writes.ts";

/**
 * What a write has done, in a vocabulary of few words: no conditions, no relative times, one key each. Whoever does these
 * again, in order, on an empty memory gets the same memory.
 */
export type CanonicalWrite =
  | { readonly kind: "delete"; readonly key: Bulk }
  | {
      readonly kind: "set";
      readonly key: Bulk;
      readonly value: Bulk;
      readonly expiresAtMs: number;
      readonly keepTtl: boolean;
    }
  | { readonly kind: "add"; readonly key: Bulk; readonly difference: bigint }
  | { readonly kind: "push"; readonly key: Bulk; readonly end: "head" | "tail"; readonly items: readonly Bulk[] }
  | { readonly kind: "pop"; readonly key: Bulk; readonly end: "head" | "tail"; readonly count: number }
  | { readonly kind: "expire"; readonly key: Bulk; readonly expiresAtMs: number }
  /** Anything else to one key: the command's name, with its subcommand if there is one, and what follows the key. */
  | {
      readonly kind: "change";
      readonly key: Bulk;
      readonly name: string;
      readonly args: readonly Bulk[];
      readonly otherwise?: Otherwise;
      /** It is only to be told where all of the key is known here. */
      readonly ifWhole?: true;
    }
  | { readonly kind: "flush" };

/** A write to one key. */
export type KeyWrite = Exclude<CanonicalWrite, { kind: "flush" }>;

/** What to say in the place of one argument when the primary refuses that. */
export interface Otherwise {
  readonly place: number;
  readonly arg: Bulk;
}

/** What an accepted write comes to; nothing when its condition was not met. */
export function canonicalWrites(write: AcceptedWrite): CanonicalWrite[] {
  return (readers[write.name] ?? change)(write);
}

type Reader = (write: AcceptedWrite) => CanonicalWrite[];

const remove: Reader = ({ args }) => args.map((key) => ({ kind: "delete", key }));

/** The value that a write has put under a key, as it stands there now; a delete when its time is over already. */
const stored = ({ at }: AcceptedWrite, key: Bulk, keepTtl = false): CanonicalWrite => {
  const entry = at(key);
  if (entry?.value.type !== "string") return { kind: "delete", key };
  return { kind: "set", key, value: entry.value.bulk, expiresAtMs: entry.expiresAtMs, keepTtl };
};
const setFirst: Reader = (write) => [stored(write, write.args[0] as Bulk)];
/** By their arguments: in a small memory one may have made room for another already. */
const setPairs: Reader = ({ args }) =>
  args.flatMap((key, index): CanonicalWrite[] => {
    const value = args[index + 1];
    if (index % 2 === 1 || value === undefined) return [];
    return [{ kind: "set", key, value, expiresAtMs: never, keepTtl: false }];
  });
const when =
  (isMet: (write: AcceptedWrite) => boolean, then: Reader): Reader =>
  (write) =>
    isMet(write) ? then(write) : [];
const changed = ({ reply }: AcceptedWrite): boolean => reply !== 0;

const set: Reader = (write) => {
  const { condition, get, keep } = stringOptions("SET", write.args.slice(2));
  const refused = get ? (condition === "NX") === (write.reply !== null) : write.reply === null;
  return condition && refused ? [] : [stored(write, write.args[0] as Bulk, keep === "KEEPTTL")];
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
  const { value, expiresAtMs } = entry;
  const end: CanonicalWrite[] = expiresAtMs === never ? [] : [{ kind: "expire", key, expiresAtMs }];
  const contents = (): CanonicalWrite[] => {
    if (value.type === "string") return [{ kind: "set", key, value: value.bulk, expiresAtMs, keepTtl: false }];
    if (value.type === "list") return [{ kind: "push", key, end: "tail", items: elementsOf(value) }, ...end];
    if (value.type === "stream") return [...wholeStream(key, value), ...end];
    if (value.type === "zset") return [...wholeSortedSet(key, value), ...end];
    return [{ kind: "change", key, name: "HSET", args: [...fieldsOf(value)].flat() }, ...end];
  };
  return [{ kind: "delete", key: from }, { kind: "delete", key }, ...contents()];
};

/** Without a condition the end is the primary's key's too, whether or not this memory has the key. */
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
