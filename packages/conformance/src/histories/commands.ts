import type { Argument, Command } from "@continuum-cache/core";
import fc from "fast-check";
import {
  amount,
  bytes,
  type CommandArbitrary,
  command,
  consumerName,
  decimal,
  field,
  groupName,
  hashKey,
  index,
  key,
  listKey,
  maybe,
  member,
  minIdle,
  parts,
  score,
  scoreBound,
  several,
  sortedSetKey,
  streamBound,
  streamId,
  streamKey,
  stringKey,
  takenId,
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

/** What may stand behind a range: mostly what it may have, now and then a word that its command does not know. */
const rangeWords = (odd: fc.Arbitrary<readonly Argument[]>): fc.Arbitrary<readonly Argument[]> =>
  parts(
    maybe(words("WITHSCORES")),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<readonly Argument[]>([]) },
      { weight: 2, arbitrary: parts(words("LIMIT"), one(index), one(index)) },
      { weight: 1, arbitrary: odd },
    ),
  );

/** Exactly: with `~` Redis keeps as many as its nodes happen to hold, which nobody else can know. */
const trimming: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("MAXLEN"), maybe(words("=")), one(count)),
  parts(words("MINID"), maybe(words("=")), one(streamId)),
  words("NOMKSTREAM"),
  parts(words("LIMIT"), one(count)),
);

/** Keys, then as many places to read from; now and then one is missing. */
const readFrom = (place: fc.Arbitrary<Argument>): fc.Arbitrary<readonly Argument[]> =>
  fc.oneof(
    { weight: 6, arbitrary: parts(words("STREAMS"), one(streamKey), one(place)) },
    { weight: 3, arbitrary: parts(words("STREAMS"), one(streamKey), one(streamKey), one(place), one(place)) },
    { weight: 1, arbitrary: parts(words("STREAMS"), several(fc.oneof(streamKey, place), 1, 3)) },
  );
const orOften = (often: Argument, rest: fc.Arbitrary<Argument>): fc.Arbitrary<Argument> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(often) }, { weight: 2, arbitrary: rest });
/** What is claimed is left alone for as long as no history lasts, or since now. */
const claimOption: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("IDLE"), one(fc.constantFrom<Argument>(0, 100_000_000, -1, "x"))),
  parts(words("TIME"), one(fc.constantFrom<Argument>(0, 1_000, "9223372036854775807", "x"))),
  parts(words("RETRYCOUNT"), one(fc.constantFrom<Argument>(0, 1, 7, -1, "x"))),
  words("FORCE"),
  words("JUSTID"),
  parts(words("LASTID"), one(streamId)),
);
const entriesRead = parts(words("ENTRIESREAD"), one(fc.constantFrom<Argument>(0, 1, 5, -1, -2, "x")));
const groupChange: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: parts(
      parts(words("CREATE"), one(streamKey), one(groupName), one(orOften("0", fc.oneof(fc.constant("$"), streamId)))),
      fc.oneof({ weight: 3, arbitrary: words("MKSTREAM") }, { weight: 1, arbitrary: fc.constant([]) }),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: entriesRead }),
    ),
  },
  {
    weight: 2,
    arbitrary: parts(
      parts(words("SETID"), one(streamKey), one(groupName), one(orOften("0", fc.oneof(fc.constant("$"), streamId)))),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: entriesRead }),
    ),
  },
  { weight: 1, arbitrary: parts(words("DESTROY"), one(streamKey), one(groupName)) },
  { weight: 2, arbitrary: parts(words("CREATECONSUMER"), one(streamKey), one(groupName), one(consumerName)) },
  { weight: 1, arbitrary: parts(words("DELCONSUMER"), one(streamKey), one(groupName), one(consumerName)) },
  { weight: 1, arbitrary: parts(words("bogus"), one(streamKey), one(groupName)) },
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
      maybe(words("TYPE"), words("string", "list", "hash", "zset", "stream", "nothing")),
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
    // sorted sets
    command(
      "ZADD",
      [sortedSetKey],
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: several(word("NX", "XX", "GT", "LT", "CH"), 1, 2) },
        { weight: 1, arbitrary: parts(words("INCR"), maybe(words("NX", "XX", "GT", "LT"))) },
      ),
      pairs(score, member),
    ),
    command("ZINCRBY", [sortedSetKey, score, member]),
    command("ZREM", [sortedSetKey], several(member)),
    command("ZCARD", [sortedSetKey]),
    command("ZSCORE", [sortedSetKey, member]),
    command("ZMSCORE", [sortedSetKey], several(member)),
    command("ZRANK", [sortedSetKey, member]),
    command("ZREVRANK", [sortedSetKey, member]),
    command("ZCOUNT", [sortedSetKey, scoreBound, scoreBound]),
    command(
      "ZRANGE",
      [sortedSetKey],
      fc.oneof(
        parts(one(index), one(index), rangeWords(words("REV"))),
        parts(one(scoreBound), one(scoreBound), words("BYSCORE"), maybe(words("REV")), rangeWords(words("BYSCORE"))),
      ),
    ),
    command("ZREVRANGE", [sortedSetKey, index, index], rangeWords(words("BYSCORE"))),
    command("ZRANGEBYSCORE", [sortedSetKey, scoreBound, scoreBound], rangeWords(words("REV"))),
    command("ZREVRANGEBYSCORE", [sortedSetKey, scoreBound, scoreBound], rangeWords(words("BYSCORE"))),
    command("ZREMRANGEBYSCORE", [sortedSetKey, scoreBound, scoreBound]),
    command("ZREMRANGEBYRANK", [sortedSetKey, index, index]),
    command("ZPOPMIN", [sortedSetKey], maybe(one(count))),
    command("ZPOPMAX", [sortedSetKey], maybe(one(count))),
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
    command(
      "XADD",
      [streamKey],
      fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: trimming }),
      one(streamId),
      pairs(field, value),
    ),
    command("XLEN", [streamKey]),
    command("XRANGE", [streamKey, streamBound, streamBound], maybe(words("COUNT"), one(count))),
    command("XREVRANGE", [streamKey, streamBound, streamBound], maybe(words("COUNT"), one(count))),
    command("XDEL", [streamKey, takenId], maybe(one(takenId))),
    command("XTRIM", [streamKey], trimming),
    command(
      "XSETID",
      [streamKey, streamId],
      maybe(words("ENTRIESADDED"), one(fc.constantFrom<Argument>(0, 3, 50, -1, "x"))),
      maybe(words("MAXDELETEDID"), one(streamId)),
    ),
    command("XREAD", [], maybe(words("COUNT"), one(count)), readFrom(orOften("0", fc.oneof(streamId, word(">", "$"))))),
    command(
      "XINFO",
      [],
      fc.oneof(
        parts(words("STREAM", "GROUPS"), one(streamKey)),
        parts(words("GROUPS"), one(streamKey)),
        parts(words("CONSUMERS"), one(streamKey), one(groupName)),
        parts(words("bogus"), one(streamKey)),
      ),
    ),
    command("XGROUP", [], groupChange),
    command(
      "XREADGROUP",
      [fc.constant("GROUP"), groupName, consumerName],
      maybe(words("COUNT"), one(count)),
      fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: words("NOACK") }),
      readFrom(orOften(">", fc.oneof(streamId, word("0", "$", "18446744073709551615-18446744073709551615")))),
    ),
    command("XACK", [streamKey, groupName, takenId], maybe(one(takenId))),
    command(
      "XPENDING",
      [streamKey, groupName],
      fc.oneof(
        fc.constant([]),
        parts(
          maybe(words("IDLE"), one(minIdle)),
          one(streamBound),
          one(streamBound),
          one(count),
          maybe(one(consumerName)),
        ),
      ),
    ),
    command(
      "XCLAIM",
      [streamKey, groupName, consumerName, minIdle, takenId],
      maybe(one(takenId), one(takenId)),
      fc.oneof(
        fc.constant([]),
        several(claimOption, 1, 3).map((options) => options.flat()),
      ),
    ),
    command(
      "XAUTOCLAIM",
      [streamKey, groupName, consumerName, minIdle, orOften("-", streamBound)],
      maybe(words("COUNT"), one(count)),
      maybe(words("JUSTID")),
    ),
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
    XADD: 8,
    XRANGE: 3,
    XGROUP: 4,
    XREADGROUP: 5,
    XCLAIM: 3,
    XAUTOCLAIM: 2,
    XPENDING: 2,
    XINFO: 2,
    EXPIRE: 2,
    TTL: 2,
    SCAN: 2,
  },
};

/** No whole numbers among them: as a time they would let keys expire by chance, as a cursor Redis may answer anything. */
const unexpected: fc.Arbitrary<Argument> = fc.constantFrom("x", "", "1.5", " 1", "héllo", "NX", "COUNT");

const without = ([name, ...args]: Command, position: number): Command => {
  const at = args.length === 0 ? 0 : position % args.length;
  return [name, ...args.filter((_, index) => index !== at)];
};

/** What a history may hold. */
export interface CommandChoice {
  /** Whether there are bytes that are no text. */
  readonly withBytes: boolean;
  /** Which commands, by upper-case name. */
  readonly only: (name: string) => boolean;
}

/** Commands as people and programs send them: mostly right, some with an argument too few, too many or unexpected. */
export function anyOf({ withBytes, only }: CommandChoice): CommandArbitrary {
  const chosen = Object.entries(commandArbitraries).filter(([name]) => only(name));
  const anyCommand: CommandArbitrary = fc.oneof(
    ...chosen.map(([name, arbitrary]) => ({ weight: (weights[name] ?? 1) * 10, arbitrary })),
  );
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
  const binary = [
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["SET", name, data]),
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["APPEND", name, data]),
    fc.tuple(hashKey, field, bytes).map(([name, at, data]): Command => ["HSET", name, at, data]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["RPUSH", name, data, "text"]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["LREM", name, 0, data]),
    fc.tuple(streamKey, streamId, bytes).map(([name, id, data]): Command => ["XADD", name, id, data, data]),
    fc.tuple(streamKey, bytes).map(([name, data]): Command => ["XGROUP", "CREATE", name, data, 0]),
    fc
      .tuple(streamKey, groupName, bytes)
      .map(([name, group, data]): Command => ["XREADGROUP", "GROUP", group, data, "STREAMS", name, ">"]),
  ].flatMap((arbitrary) => (only(nameOf(arbitrary)) ? [arbitrary] : []));
  return fc.oneof(
    { weight: 85, arbitrary: anyCommand },
    { weight: 10, arbitrary: mistaken },
    ...(withBytes && binary.length > 0 ? [{ weight: 5, arbitrary: fc.oneof(...binary) }] : []),
  );
}
