import type { Argument, Command } from "@continuum-cache/core";
import { defineScript, type Script } from "@continuum-cache/core/kit";

/** Each does with `call` what its Lua does with `redis.call`. */
const scripts: readonly Script[] = [
  defineScript({
    name: "test-swap",
    keys: 1,
    lua: `
      local old = redis.call("GET", KEYS[1])
      redis.call("SET", KEYS[1], ARGV[1], "KEEPTTL")
      return { old, ARGV[1], redis.call("TYPE", KEYS[1])["ok"], redis.call("EXISTS", KEYS[1]) }`,
    memory({ call, keys: [key = ""], args: [value = ""] }) {
      const old = call("GET", key);
      call("SET", key, value, "KEEPTTL");
      return [old, value, call("TYPE", key), call("EXISTS", key)];
    },
  }),
  defineScript({
    name: "test-fails-half-way",
    keys: 1,
    lua: `
      redis.call("RPUSH", KEYS[1], ARGV[1])
      redis.call("INCRBY", KEYS[1], ARGV[2])
      return "never"`,
    memory({ call, keys: [key = ""], args: [value = "", amount = ""] }) {
      call("RPUSH", key, value);
      call("INCRBY", key, amount);
      return "never";
    },
  }),
  defineScript({
    name: "test-reads",
    keys: 1,
    lua: `return { redis.call("TYPE", KEYS[1]), redis.call("TTL", KEYS[1]) == -1 and 1 or 0, ARGV }`,
    memory: ({ call, keys: [key = ""], args }) => [call("TYPE", key), call("TTL", key) === -1 ? 1 : 0, args],
  }),
  ...[["GET"], ["NO-SUCH"], ["EVAL", "return 1", "0"], ["SCRIPT", "FLUSH"], ["PUBLISH", "c", "x"], ["ECHO", "x"]].map(
    (words) =>
      defineScript({
        name: `test-calls-${words[0]}`,
        keys: 1,
        lua: `return redis.call(${words.map((word) => JSON.stringify(word)).join(", ")})`,
        memory: ({ call }) => call(...(words as [string, ...string[]])),
      }),
  ),
];

/** A seeded generator (mulberry32), so that every history can be played again. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  return { next, below, pick };
}

export type Random = ReturnType<typeof createRandom>;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Few keys, so that commands of all types meet on them. */
const keys: readonly Argument[] = ["a", "b", "c", "d", "e:{x}", "ключ 🔑", "", bytes(0xff, 0x00), "7"];
const fields: readonly Argument[] = ["f", "g", "h", "поле", "", bytes(0xc1, 0x41), "1"];
const integers: readonly Argument[] = [
  ...[
    "0",
    "1",
    "-1",
    "2",
    "-3",
    5,
    "10",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "4611686018427387904",
  ],
  ...[
    "9223372036854775808",
    "-9223372036854775809",
    "01",
    "+1",
    " 1",
    "1 ",
    "-0",
    "1.0",
    "1e2",
    "",
    "abc",
    "99999999999999999999",
  ],
];
const smallIntegers: readonly Argument[] = [
  "0",
  "1",
  "2",
  "3",
  "-1",
  "-2",
  "-3",
  "5",
  "-7",
  "100",
  "-100",
  "x",
  "",
  "01",
];
const floats: readonly Argument[] = [
  ...[
    "0",
    "1",
    "-1",
    "0.1",
    "0.2",
    "-0.3",
    "3.14159265358979323846",
    "1e3",
    "1e-5",
    "5e-18",
    "4.9e-18",
    "-1e-17",
    "2.5e-17",
    "1e18",
  ],
  ...[
    "123456789.123456789",
    "1e300",
    "-1e300",
    "1e4932",
    "1e5000",
    "1e-4950",
    "1e-5000",
    "0x1p3",
    "0x.8",
    "0x",
    ".5",
    "5.",
    ".",
    "+7",
  ],
  ...[
    "inf",
    "-inf",
    "Infinity",
    "nan",
    " 1",
    "1 ",
    "",
    "abc",
    "1e",
    "1e+2",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
  ],
  ...["36893488147419103233", "0.30000000000000000001", "1e17", "99999999999999999.5", "-0", "-0.0", "00.50"],
];
const values: readonly Argument[] = [
  ...[
    "x",
    "y",
    "zz",
    "",
    "1",
    "10",
    "-5",
    "3.5",
    "hello",
    "héllo",
    "汉字🧠",
    "\ud800",
    "a\r\nb",
    "\ufeffmark",
    "0x10",
    "9223372036854775806",
  ],
  ...[7, -1.5, 1e21, bytes(0xff), bytes(0xe2, 0x82), bytes(0x68, 0x69), bytes(), bytes(0xac), "long ".repeat(20)],
];
const badTimes: readonly Argument[] = [
  "0",
  "-1",
  "abc",
  "",
  "1.5",
  "9223372036854775807",
  "9223372036850000",
  "-9223372036854775808",
  "9223372036854776",
];
const patterns: readonly Argument[] = [
  "*",
  "?",
  "[a-c]",
  "[^a]",
  "e:*",
  "\\a",
  "*🔑",
  "к*",
  "",
  "[",
  "a*b",
  "[a-",
  "??",
];

/** Any command of the table that answers the same everywhere, with arguments that are right more often than not. */
export function randomCommand(random: Random): Command {
  const { pick, below, next } = random;
  const key = () => pick(keys);
  const field = () => pick(fields);
  const value = () => pick(values);
  const many = <T>(make: () => T, most = 3): T[] => Array.from({ length: 1 + below(most) }, make);
  const maybe = (chance: number, ...make: (() => readonly Argument[])[]): Argument[] =>
    make.flatMap((one) => (next() < chance ? [...one()] : []));
  const integer = () => (next() < 0.5 ? pick(smallIntegers) : pick(integers));
  const small = () => pick(smallIntegers);
  const digits = (most: number) => Array.from({ length: below(most) }, () => below(10)).join("");
  const float = () =>
    next() < 0.5
      ? pick(floats)
      : `${pick(["", "-"])}${digits(22)}.${digits(22)}${pick(["", "", `e${below(40) - 20}`])}`;
  // Each time is its own, so that GT and LT never depend on who was a millisecond faster.
  const farTime = () => 100_000 + below(100_000_000);
  const time = () => (next() < 0.8 ? farTime() : pick(badTimes));
  const timeMs = () => (next() < 0.8 ? farTime() * 1_000 : pick(badTimes));
  const dateSeconds = () => (next() < 0.8 ? String(4_000_000_000 + below(1000)) : pick(badTimes));
  const dateMs = () => (next() < 0.8 ? String(4_000_000_000_000 + below(1000)) : pick(badTimes));
  const expiry = (): Argument[] =>
    pick([() => ["EX", time()], () => ["px", timeMs()], () => ["EXAT", dateSeconds()], () => ["PxAt", dateMs()]])();
  const condition = (): Argument[] => [pick(["NX", "xx", "GT", "LT", "GT", "bogus"])];
  const id = () =>
    pick<() => Argument>([
      () => `${below(5)}-${below(5)}`,
      () => `${below(9)}-*`,
      () => below(9),
      () => pick<Argument>(["0-0", "-", "+", "x", "1-", "18446744073709551615-18446744073709551615", bytes(0xff)]),
    ])();
  const bound = () => pick<() => Argument>([() => "-", () => "+", id, () => `(${below(5)}-${below(5)}`])();
  const scoreEnd = () => pick<() => Argument>([() => "-inf", () => "+inf", small, float, () => `(${below(5)}`])();
  const page = () => ["LIMIT", small(), small()];
  const group = () => pick(["g", "h"]);
  /** How long ago: not at all, or longer than a history lasts. */
  const idle = () => pick<Argument>(["0", "0", "0", "-1", "100000000", "x"]);
  const streamsFrom = (place: () => Argument): Argument[] =>
    next() < 0.5
      ? ["STREAMS", key(), place()]
      : ["streams", key(), key(), place(), place()].slice(0, next() < 0.9 ? 5 : 4);
  const side = () => pick(["LEFT", "RIGHT", "left", "right", "UP"]);

  const textKey = () => pick(keys.filter((one) => typeof one === "string"));
  const scriptArgs = (): Argument[] =>
    next() < 0.9 ? [1, textKey(), value(), integer()] : [pick(["-1", "5", "x"]), textKey(), value()];

  const make: Record<string, () => Argument[]> = {
    PING: () => maybe(0.5, () => [value()]),
    ECHO: () => [value()],
    DBSIZE: () => [],
    FLUSHDB: () => maybe(0.3, () => [pick(["ASYNC", "sync", "bogus"])]),
    DEL: () => many(key),
    UNLINK: () => many(key),
    EXISTS: () => many(key),
    TOUCH: () => many(key),
    TYPE: () => [key()],
    EXPIRE: () => [key(), time(), ...maybe(0.3, condition, condition)],
    PEXPIRE: () => [key(), timeMs(), ...maybe(0.3, condition, condition)],
    EXPIREAT: () => [key(), dateSeconds(), ...maybe(0.3, condition, condition)],
    PEXPIREAT: () => [key(), dateMs(), ...maybe(0.3, condition, condition)],
    EXPIRETIME: () => [key()],
    PEXPIRETIME: () => [key()],
    TTL: () => [key()],
    PTTL: () => [key()],
    PERSIST: () => [key()],
    RENAME: () => [key(), key()],
    RENAMENX: () => [key(), key()],
    KEYS: () => [pick(patterns)],
    RANDOMKEY: () => [],
    SCAN: () => [
      pick(["0", "0", "0", "x", "", "-"]),
      ...maybe(
        0.4,
        () => ["match", pick(patterns)],
        () => ["COUNT", pick(["1000", "500", "0", "x"])],
        () => ["TYPE", pick(["string", "HASH", "list", "bogus"])],
      ),
      "COUNT",
      1000,
    ],
    GET: () => [key()],
    MGET: () => many(key, 5),
    STRLEN: () => [key()],
    GETRANGE: () => [key(), small(), small()],
    SET: () => [
      key(),
      value(),
      ...maybe(
        0.2,
        () => [pick(["NX", "xx"])],
        () => [pick(["NX", "XX"])],
        () => ["GET"],
        () => ["KEEPTTL"],
        expiry,
        expiry,
        () => ["bogus"],
      ),
    ],
    SETEX: () => [key(), time(), value()],
    PSETEX: () => [key(), timeMs(), value()],
    SETNX: () => [key(), value()],
    MSET: () =>
      many(() => [key(), value()])
        .flat()
        .slice(next() < 0.1 ? 1 : 0),
    MSETNX: () =>
      many(() => [key(), value()])
        .flat()
        .slice(next() < 0.1 ? 1 : 0),
    GETSET: () => [key(), value()],
    GETDEL: () => [key()],
    GETEX: () => [
      key(),
      ...maybe(
        0.3,
        expiry,
        () => ["PERSIST"],
        () => ["bogus"],
      ),
    ],
    APPEND: () => [key(), value()],
    SETRANGE: () => [key(), small(), value()],
    INCR: () => [key()],
    DECR: () => [key()],
    INCRBY: () => [key(), integer()],
    DECRBY: () => [key(), integer()],
    INCRBYFLOAT: () => [key(), float()],
    HGET: () => [key(), field()],
    HMGET: () => [key(), ...many(field)],
    HGETALL: () => [key()],
    HEXISTS: () => [key(), field()],
    HKEYS: () => [key()],
    HVALS: () => [key()],
    HLEN: () => [key()],
    HSTRLEN: () => [key(), field()],
    HSCAN: () => [
      key(),
      pick(["0", "0", "0", "x"]),
      ...maybe(
        0.4,
        () => ["MATCH", pick(patterns)],
        () => ["COUNT", pick(["1000", "0", "x"])],
        () => ["TYPE", "hash"],
      ),
      "COUNT",
      1000,
    ],
    HSET: () => [
      key(),
      ...many(() => [field(), next() < 0.3 ? integer() : value()]).flat(),
      ...maybe(0.1, () => ["odd"]),
    ],
    HMSET: () => [key(), ...many(() => [field(), value()]).flat()],
    HSETNX: () => [key(), field(), value()],
    HDEL: () => [key(), ...many(field)],
    HINCRBY: () => [key(), field(), integer()],
    HINCRBYFLOAT: () => [key(), field(), float()],
    ZADD: () => [
      key(),
      ...maybe(
        0.2,
        () => [pick(["NX", "xx", "GT", "LT"])],
        () => ["CH"],
        () => ["INCR"],
        () => ["NX", "GT"],
      ),
      ...many(() => [next() < 0.9 ? small() : float(), field()]).flat(),
    ],
    ZINCRBY: () => [key(), float(), field()],
    ZREM: () => [key(), ...many(field)],
    ZCARD: () => [key()],
    ZSCORE: () => [key(), field()],
    ZMSCORE: () => [key(), ...many(field)],
    ZRANK: () => [key(), field()],
    ZREVRANK: () => [key(), field()],
    ZCOUNT: () => [key(), scoreEnd(), scoreEnd()],
    ZRANGE: () => [
      key(),
      ...pick<() => Argument[]>([
        () => [small(), small(), ...maybe(0.3, () => ["REV"])],
        () => [scoreEnd(), scoreEnd(), "BYSCORE", ...maybe(0.5, () => ["REV"]), ...maybe(0.3, page)],
      ])(),
      ...maybe(0.5, () => ["withscores"]),
    ],
    ZREVRANGE: () => [key(), small(), small(), ...maybe(0.3, () => ["WITHSCORES"], page)],
    ZRANGEBYSCORE: () => [key(), scoreEnd(), scoreEnd(), ...maybe(0.3, () => ["WITHSCORES"], page)],
    ZREVRANGEBYSCORE: () => [key(), scoreEnd(), scoreEnd(), ...maybe(0.3, page)],
    ZREMRANGEBYSCORE: () => [key(), scoreEnd(), scoreEnd()],
    ZREMRANGEBYRANK: () => [key(), small(), small()],
    ZPOPMIN: () => [key(), ...maybe(0.3, () => [small()])],
    ZPOPMAX: () => [key(), ...maybe(0.3, () => [small()])],
    LLEN: () => [key()],
    LRANGE: () => [key(), small(), small()],
    LINDEX: () => [key(), small()],
    LPOS: () => [
      key(),
      value(),
      ...maybe(
        0.4,
        () => ["RANK", integer()],
        () => ["count", small()],
        () => ["MAXLEN", small()],
      ),
    ],
    LPUSH: () => [key(), ...many(value, 5)],
    RPUSH: () => [key(), ...many(value, 5)],
    LPUSHX: () => [key(), ...many(value)],
    RPUSHX: () => [key(), ...many(value)],
    LPOP: () => [key(), ...maybe(0.3, () => [small()])],
    RPOP: () => [key(), ...maybe(0.3, () => [small()])],
    LSET: () => [key(), small(), value()],
    LREM: () => [key(), small(), value()],
    LTRIM: () => [key(), small(), small()],
    LINSERT: () => [key(), pick(["BEFORE", "after", "bogus"]), value(), value()],
    LMOVE: () => [key(), key(), side(), side()],
    RPOPLPUSH: () => [key(), key()],
    XADD: () => [
      key(),
      ...maybe(
        0.2,
        () => ["MAXLEN", small()],
        () => ["minid", "=", id()],
        () => ["NOMKSTREAM"],
        () => ["LIMIT", integer()],
      ),
      id(),
      ...many(() => [field(), value()]).flat(),
    ],
    XLEN: () => [key()],
    XRANGE: () => [key(), bound(), bound(), ...maybe(0.3, () => ["COUNT", small()])],
    XREVRANGE: () => [key(), bound(), bound(), ...maybe(0.3, () => ["count", integer()])],
    XDEL: () => [key(), ...many(id)],
    XTRIM: () => [key(), ...pick<() => Argument[]>([() => ["MAXLEN", small()], () => ["MINID", id()]])()],
    XSETID: () => [
      key(),
      id(),
      ...maybe(
        0.3,
        () => ["ENTRIESADDED", small()],
        () => ["maxdeletedid", id()],
      ),
    ],
    XREAD: () => [...maybe(0.3, () => ["COUNT", small()]), ...streamsFrom(() => pick([id(), "0", "$", ">"]))],
    XINFO: () =>
      pick<() => Argument[]>([
        () => ["STREAM", key()],
        () => ["groups", key()],
        () => ["CONSUMERS", key(), group()],
        () => ["BOGUS", key()],
        () => ["GROUPS"],
      ])(),
    XGROUP: () =>
      pick<() => Argument[]>([
        () => ["CREATE", key(), group(), pick([id(), "0", "$"]), ...maybe(0.7, () => ["mkstream"])],
        () => ["CREATE", key(), group(), "0", ...maybe(0.5, () => ["ENTRIESREAD", small()])],
        () => ["SETID", key(), group(), pick([bound(), "0", "$"]), ...maybe(0.3, () => ["ENTRIESREAD", small()])],
        () => ["destroy", key(), group()],
        () => ["CREATECONSUMER", key(), group(), field()],
        () => ["DELCONSUMER", key(), group(), field()],
        () => ["BOGUS", key()],
      ])(),
    XREADGROUP: () => [
      ...["GROUP", group(), field()],
      ...maybe(
        0.3,
        () => ["COUNT", small()],
        () => ["noack"],
      ),
      ...streamsFrom(() => pick([id(), "0", ">", ">", ">", "$"])),
    ],
    XACK: () => [key(), group(), ...many(id)],
    XPENDING: () => [
      key(),
      group(),
      ...maybe(0.7, () => [...maybe(0.3, () => ["IDLE", idle()]), bound(), bound(), small()]),
      ...maybe(0.2, () => [field()]),
    ],
    XCLAIM: () => [
      ...[key(), group(), field(), idle(), ...many(id)],
      ...maybe(
        0.3,
        () => ["IDLE", pick(["0", "100000000", "-1", "x"])],
        () => ["TIME", pick(["0", "1000", "9223372036854775807", "x"])],
        () => ["retrycount", small()],
        () => ["FORCE"],
        () => ["JUSTID"],
        () => ["LASTID", id()],
      ),
    ],
    XAUTOCLAIM: () => [
      ...[key(), group(), field(), idle(), pick(["-", bound()])],
      ...maybe(
        0.3,
        () => ["COUNT", small()],
        () => ["justid"],
      ),
    ],
    PUBLISH: () => [key(), value()],
    SCRIPT: () =>
      pick<() => Argument[]>([
        () => ["EXISTS", "f".repeat(40), "x"],
        () => ["FLUSH", "bogus"],
        () => ["BOGUS"],
        () => ["EXISTS"],
        () => ["LOAD", pick(scripts).lua],
        () => ["FLUSH"],
        () => ["exists"],
        () => ["KILL"],
      ])(),
    EVAL: () => [pick(scripts).lua, ...scriptArgs()],
    EVALSHA: () => [pick(scripts).sha1, ...scriptArgs()],
    EVAL_RO: () => [pick(scripts).lua, ...scriptArgs()],
    EVALSHA_RO: () => [pick(scripts).sha1, ...scriptArgs()],
    "NO-SUCH": () => many(value),
  };
  const name = pick(Object.keys(make));
  // Flushing each hundredth time would leave little to meet on.
  if (name === "FLUSHDB" && next() < 0.8) return randomCommand(random);
  const args = (make[name] as () => Argument[])();
  // A script would be without a key or an argument then, which is nil in one face and undefined in the other.
  const cut = name.startsWith("EVAL")
    ? args
    : next() < 0.02
      ? args.slice(0, -1)
      : next() < 0.02
        ? [...args, value()]
        : args;
  return [next() < 0.1 ? name.toLowerCase() : name, ...cut];
}
