import type { Argument, Command } from "@continuum-cache/core";
import fc from "fast-check";
import {
  amount,
  bytes,
  type CommandArbitrary,
  command,
  decimal,
  field,
  hashKey,
  index,
  key,
  listKey,
  maybe,
  parts,
  several,
  streamBound,
  streamId,
  streamKey,
  stringKey,
  time,
  value,
  word,
} from "./arguments.ts";

const one = <T extends Argument>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly Argument[]> =>
  arbitrary.map((argument) => [argument]);
const pairs = (left: fc.Arbitrary<Argument>, right: fc.Arbitrary<Argument>): fc.Arbitrary<Argument[]> =>
  several(fc.tuple(left, right), 1, 3).map((list) => list.flat());
const words = (...list: readonly string[]): fc.Arbitrary<readonly Argument[]> => one(word(...list));
const glob: fc.Arbitrary<string> = fc.constantFrom(
  "*",
  "s?",
  "l[12]",
  "?[^1]",
  "h[1-3]",
  "\\*",
  "k\\*",
  "f*",
  "?",
  "",
  "[",
);
const count: fc.Arbitrary<Argument> = fc.constantFrom<Argument>(0, 1, 2, 3, 10, -1, "x");
const limits = maybe(words("MATCH"), one(glob));

const expiry = fc.oneof(
  parts(words("EX"), one(time("seconds"))),
  parts(words("PX"), one(time("milliseconds"))),
  parts(words("EXAT"), one(time("unix-seconds"))),
  parts(words("PXAT"), one(time("unix-milliseconds"))),
);
const condition = maybe(words("NX", "XX", "GT", "LT"));

/** Exactly: with `~` Redis keeps as many as its nodes happen to hold, which nobody else can know. */
const trimming: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("MAXLEN"), maybe(words("=")), one(count)),
  parts(words("MINID"), maybe(words("=")), one(streamId)),
  words("NOMKSTREAM"),
  parts(words("LIMIT"), one(count)),
);

/**
 * For every command that a history can hold, so that two backends given the same history must answer the same. Left
 * out are those whose answer is of the server alone (TIME, INFO) or that bring their own suite (scripts).
 */
const commandArbitraries: Readonly<Record<string, CommandArbitrary>> = Object.fromEntries(
  [
    command("PING", [], maybe(one(value))),
    command("ECHO", [value]),
    command("DBSIZE", []),
    command("PUBLISH", [key, value]),
    command("FLUSHDB", []),
    command("FLUSHALL", []),
    // keys
    command("DEL", [], several(key)),
    command("UNLINK", [], several(key)),
    command("EXISTS", [], several(key)),
    command("TOUCH", [], several(key)),
    command("TYPE", [key]),
    command("EXPIRE", [key, time("seconds")], condition),
    command("PEXPIRE", [key, time("milliseconds")], condition),
    command("EXPIREAT", [key, time("unix-seconds")], condition),
    command("PEXPIREAT", [key, time("unix-milliseconds")], condition),
    command("EXPIRETIME", [key]),
    command("PEXPIRETIME", [key]),
    command("TTL", [key]),
    command("PTTL", [key]),
    command("PERSIST", [key]),
    command("RENAME", [key, key]),
    command("RENAMENX", [key, key]),
    command("KEYS", [glob]),
    command("RANDOMKEY", []),
    // A COUNT above the number of keys: the whole database in one page, whichever way it is kept.
    command(
      "SCAN",
      [fc.constantFrom<Argument>(0, 0, 0, 0, "x")],
      limits,
      fc.constant(["COUNT", 1_000]),
      maybe(words("TYPE"), words("string", "list", "hash", "nothing")),
    ),
    // strings
    command("GET", [stringKey]),
    command("MGET", [], several(stringKey)),
    command("STRLEN", [stringKey]),
    command("GETRANGE", [stringKey, index, index]),
    command(
      "SET",
      [stringKey, value],
      maybe(fc.oneof(expiry, words("KEEPTTL"))),
      maybe(words("NX", "XX")),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: words("GET", "NX", "bogus") }),
    ),
    command("SETEX", [stringKey, time("seconds"), value]),
    command("PSETEX", [stringKey, time("milliseconds"), value]),
    command("SETNX", [stringKey, value]),
    command("MSET", [], pairs(stringKey, value)),
    command("MSETNX", [], pairs(stringKey, value)),
    command("GETSET", [stringKey, value]),
    command("GETDEL", [stringKey]),
    command("GETEX", [stringKey], maybe(fc.oneof(expiry, words("PERSIST", "bogus")))),
    command("APPEND", [stringKey, value]),
    command("SETRANGE", [stringKey, fc.constantFrom<Argument>(0, 1, 3, 8, -1, "x", 536_870_912), value]),
    command("INCR", [stringKey]),
    command("DECR", [stringKey]),
    command("INCRBY", [stringKey, amount]),
    command("DECRBY", [stringKey, amount]),
    command("INCRBYFLOAT", [stringKey, decimal]),
    // hashes
    command("HGET", [hashKey, field]),
    command("HMGET", [hashKey], several(field)),
    command("HGETALL", [hashKey]),
    command("HEXISTS", [hashKey, field]),
    command("HKEYS", [hashKey]),
    command("HVALS", [hashKey]),
    command("HLEN", [hashKey]),
    command("HSTRLEN", [hashKey, field]),
    command("HSCAN", [hashKey, fc.constantFrom<Argument>(0, 0, 0, "x")], limits, maybe(fc.constant(["COUNT", 1_000]))),
    command("HSET", [hashKey], pairs(field, value)),
    command("HMSET", [hashKey], pairs(field, value)),
    command("HSETNX", [hashKey, field, value]),
    command("HDEL", [hashKey], several(field)),
    command("HINCRBY", [hashKey, field, amount]),
    command("HINCRBYFLOAT", [hashKey, field, decimal]),
    // lists
    command("LLEN", [listKey]),
    command("LRANGE", [listKey, index, index]),
    command("LINDEX", [listKey, index]),
    command(
      "LPOS",
      [listKey, value],
      maybe(words("RANK"), one(count)),
      maybe(words("COUNT"), one(count)),
      maybe(words("MAXLEN"), one(count)),
    ),
    command("LPUSH", [listKey], several(value)),
    command("RPUSH", [listKey], several(value)),
    command("LPUSHX", [listKey], several(value)),
    command("RPUSHX", [listKey], several(value)),
    command("LPOP", [listKey], maybe(one(count))),
    command("RPOP", [listKey], maybe(one(count))),
    command("LSET", [listKey, index, value]),
    command("LREM", [listKey, index, value]),
    command("LTRIM", [listKey, index, index]),
    command("LINSERT", [listKey, word("BEFORE", "AFTER", "bogus"), value, value]),
    command("LMOVE", [listKey, listKey, word("LEFT", "RIGHT"), word("LEFT", "RIGHT", "bogus")]),
    command("RPOPLPUSH", [listKey, listKey]),
    command("XADD", [streamKey], maybe(trimming), one(streamId), pairs(field, value)),
    command("XLEN", [streamKey]),
    command("XRANGE", [streamKey, streamBound, streamBound], maybe(words("COUNT"), one(count))),
    command("XREVRANGE", [streamKey, streamBound, streamBound], maybe(words("COUNT"), one(count))),
    command("XDEL", [streamKey, streamId], maybe(one(streamId))),
    command("XTRIM", [streamKey], trimming),
  ].map((arbitrary) => [nameOf(arbitrary), arbitrary]),
);

function nameOf(arbitrary: CommandArbitrary): string {
  return (fc.sample(arbitrary, 1)[0] as Command)[0];
}

/** How often a command is drawn beside the usual once. */
const weights: Readonly<Record<string, number>> = {
  ...{ FLUSHDB: 0.1, FLUSHALL: 0.1, PING: 0.3, ECHO: 0.3, PUBLISH: 0.3, RANDOMKEY: 0.5 },
  ...{
    SET: 4,
    GET: 3,
    HSET: 4,
    HGETALL: 3,
    RPUSH: 3,
    LPUSH: 3,
    LRANGE: 3,
    XADD: 6,
    XRANGE: 3,
    EXPIRE: 2,
    TTL: 2,
    SCAN: 2,
  },
};

const anyCommand: CommandArbitrary = fc.oneof(
  ...Object.entries(commandArbitraries).map(([name, arbitrary]) => ({ weight: (weights[name] ?? 1) * 10, arbitrary })),
);

/** No whole numbers among them: as a time they would let keys expire by chance, as a cursor Redis may answer anything. */
const unexpected: fc.Arbitrary<Argument> = fc.constantFrom("x", "", "1.5", " 1", "héllo", "NX", "COUNT");

const without = ([name, ...args]: Command, position: number): Command => {
  const at = args.length === 0 ? 0 : position % args.length;
  return [name, ...args.filter((_, index) => index !== at)];
};

/** Commands as people and programs send them: mostly right, some with an argument too few, too many or unexpected. */
export function anyOf({ withBytes }: { readonly withBytes: boolean }): CommandArbitrary {
  const mistaken = fc.oneof(
    fc.tuple(anyCommand, fc.nat(5)).map(([right, position]) => without(right, position)),
    fc.tuple(anyCommand, value).map(([right, extra]): Command => [...right, extra]),
    fc.tuple(anyCommand, fc.nat(5), unexpected).map(([right, position, odd]): Command => {
      const [name, ...args] = right;
      return [name, ...args.map((arg, at) => (at === position ? odd : arg))];
    }),
    anyCommand.map(([name, ...args]): Command => [name.toLowerCase(), ...args]),
    key.map((name): Command => ["NO-SUCH-COMMAND", name]),
  );
  const binary = fc.oneof(
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["SET", name, data]),
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["APPEND", name, data]),
    fc.tuple(hashKey, field, bytes).map(([name, at, data]): Command => ["HSET", name, at, data]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["RPUSH", name, data, "text"]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["LREM", name, 0, data]),
  );
  return fc.oneof(
    { weight: 85, arbitrary: anyCommand },
    { weight: 10, arbitrary: mistaken },
    ...(withBytes ? [{ weight: 5, arbitrary: binary }] : []),
  );
}
