import type { Argument, Command } from "../ports/transport.ts";

/**
 * Which arguments are keys: by position, `"numkeys"` (a count, then that many), `"after-streams"` (the first half of what
 * follows the word STREAMS), or `"database"` (all keys there are).
 */
type KeySpec =
  | "none"
  | "first"
  | "second"
  | "first-two"
  | "all"
  | "every-second"
  | "numkeys"
  | "after-streams"
  | "database";

/** What is known of a command: the only list of command names there is. */
export interface CommandFacts {
  readonly keys: KeySpec;
  /** Changes what is stored. */
  readonly write: boolean;
  /**
   * Whether its effect is the same when it arrives twice, so that a retry after a lost reply does no harm.
   * (DEL counts: twice deleted is deleted, though the second reply says 0.)
   */
  readonly repeatable: boolean | ((args: readonly Argument[]) => boolean);
  /** Whether it leaves nothing of what stood under its keys. */
  readonly replaces: boolean | ((args: readonly Argument[]) => boolean);
}

const read = (keys: KeySpec): CommandFacts => ({ keys, write: false, repeatable: true, replaces: false });
const write = (keys: KeySpec, repeatable: CommandFacts["repeatable"] = false): CommandFacts => ({
  keys,
  write: true,
  repeatable,
  replaces: false,
});
const replace = (keys: KeySpec, repeatable: CommandFacts["repeatable"] = true): CommandFacts => ({
  ...write(keys, repeatable),
  replaces: true,
});

const has = (args: readonly Argument[], ...words: string[]): boolean =>
  args.some((arg) => typeof arg === "string" && words.includes(arg.toUpperCase()));
/** SET with NX, XX or GET answers by what was there before, and the first try may have been there. */
const plainSet = (args: readonly Argument[]): boolean => !has(args.slice(2), "NX", "XX", "GET");
/** EXPIRE with a condition answers by the time left before, which the first try may have changed. */
const plainExpire = (args: readonly Argument[]): boolean => !has(args.slice(2), "NX", "XX", "GT", "LT");
/** ZADD with a condition or a difference answers by what was there before; without, the same scores stand afterwards. */
const plainAdd = (args: readonly Argument[]): boolean => !has(args.slice(1, 6), "NX", "XX", "GT", "LT", "CH", "INCR");
/** XGROUP: CREATE refuses the second time, and `$` may be elsewhere by then. */
const plainGroupChange = ([subcommand, , , start]: readonly Argument[]): boolean =>
  !has([subcommand ?? ""], "CREATE") && !(has([subcommand ?? ""], "SETID") && start === "$");

const facts: Readonly<Record<string, CommandFacts>> = {
  // connection and server
  PING: read("none"),
  ECHO: read("none"),
  TIME: read("none"),
  INFO: read("none"),
  DBSIZE: read("database"),
  FLUSHDB: replace("database"),
  FLUSHALL: replace("database"),
  // keys
  DEL: replace("all"),
  UNLINK: replace("all"),
  EXISTS: read("all"),
  TOUCH: read("all"),
  TYPE: read("first"),
  EXPIRE: write("first", plainExpire),
  PEXPIRE: write("first", plainExpire),
  EXPIREAT: write("first", plainExpire),
  PEXPIREAT: write("first", plainExpire),
  EXPIRETIME: read("first"),
  PEXPIRETIME: read("first"),
  TTL: read("first"),
  PTTL: read("first"),
  PERSIST: write("first", true),
  RENAME: write("first-two"),
  RENAMENX: write("first-two"),
  KEYS: read("database"),
  SCAN: read("database"),
  RANDOMKEY: read("database"),
  // strings and counters
  GET: read("first"),
  MGET: read("all"),
  STRLEN: read("first"),
  GETRANGE: read("first"),
  SET: { ...write("first", plainSet), replaces: plainSet },
  SETEX: replace("first"),
  PSETEX: replace("first"),
  SETNX: write("first"),
  MSET: replace("every-second"),
  MSETNX: write("every-second"),
  GETSET: replace("first", false),
  GETDEL: replace("first", false),
  GETEX: write("first", true),
  APPEND: write("first"),
  SETRANGE: write("first", true),
  INCR: write("first"),
  DECR: write("first"),
  INCRBY: write("first"),
  DECRBY: write("first"),
  INCRBYFLOAT: write("first"),
  // hashes
  HGET: read("first"),
  HMGET: read("first"),
  HGETALL: read("first"),
  HEXISTS: read("first"),
  HKEYS: read("first"),
  HVALS: read("first"),
  HLEN: read("first"),
  HSTRLEN: read("first"),
  HSCAN: read("first"),
  HSET: write("first", true),
  HMSET: write("first", true),
  HSETNX: write("first"),
  HDEL: write("first", true),
  HINCRBY: write("first"),
  HINCRBYFLOAT: write("first"),
  // lists
  LLEN: read("first"),
  LRANGE: read("first"),
  LINDEX: read("first"),
  LPOS: read("first"),
  LPUSH: write("first"),
  RPUSH: write("first"),
  LPUSHX: write("first"),
  RPUSHX: write("first"),
  LPOP: write("first"),
  RPOP: write("first"),
  LSET: write("first", true),
  LREM: write("first"),
  LTRIM: write("first"),
  LINSERT: write("first"),
  LMOVE: write("first-two"),
  RPOPLPUSH: write("first-two"),
  // sorted sets
  ZCARD: read("first"),
  ZSCORE: read("first"),
  ZMSCORE: read("first"),
  ZRANK: read("first"),
  ZREVRANK: read("first"),
  ZCOUNT: read("first"),
  ZRANGE: read("first"),
  ZREVRANGE: read("first"),
  ZRANGEBYSCORE: read("first"),
  ZREVRANGEBYSCORE: read("first"),
  ZADD: write("first", plainAdd),
  ZINCRBY: write("first"),
  ZREM: write("first", true),
  ZREMRANGEBYSCORE: write("first", true),
  ZREMRANGEBYRANK: write("first"),
  ZPOPMIN: write("first"),
  ZPOPMAX: write("first"),
  // streams
  XLEN: read("first"),
  XRANGE: read("first"),
  XREVRANGE: read("first"),
  XADD: write("first"),
  XDEL: write("first", true),
  XTRIM: write("first", true),
  XSETID: write("first", true),
  XREAD: read("after-streams"),
  XINFO: read("second"),
  XGROUP: write("second", plainGroupChange),
  XPENDING: read("first"),
  // The second time they would give out other entries, or none, and count once more.
  XREADGROUP: write("after-streams"),
  XCLAIM: write("first"),
  XAUTOCLAIM: write("first"),
  XACK: write("first", true),
  // scripts
  EVAL: write("numkeys"),
  EVALSHA: write("numkeys"),
  EVAL_RO: read("numkeys"),
  EVALSHA_RO: read("numkeys"),
  SCRIPT: read("none"),
  // messages
  // A channel stands where a key would: its messages are kept in the order in which they were sent.
  PUBLISH: { ...read("first"), repeatable: false },
};

/** A command nobody described may do anything to any key. */
const unknown: CommandFacts = write("database");

const table: ReadonlyMap<string, CommandFacts> = new Map(Object.entries(facts));

/** The names in the table, upper case. */
export const knownCommands: readonly string[] = [...table.keys()];

/** What is known of a command; the most careful assumption for one that is not in the table. */
export function factsOf(command: Command): CommandFacts {
  return table.get(command[0]) ?? table.get(command[0].toUpperCase()) ?? unknown;
}

/** Whether a command changes what is stored. */
export function isWrite(command: Command): boolean {
  return factsOf(command).write;
}

/** Whether a command may arrive twice without harm. */
export function isRepeatable(command: Command): boolean {
  const { repeatable } = factsOf(command);
  return typeof repeatable === "function" ? repeatable(command.slice(1) as Argument[]) : repeatable;
}

/** Whether a command leaves nothing of what stood under its keys. */
export function isReplacing(command: Command): boolean {
  const { replaces } = factsOf(command);
  return typeof replaces === "function" ? replaces(command.slice(1) as Argument[]) : replaces;
}

/**
 * Whether a whole trip may arrive twice without harm: each of its commands may, and none reads what a later one writes,
 * since the second time it would be answered by its own trip.
 */
export function isRepeatableTrip(commands: readonly Command[]): boolean {
  if (!commands.every(isRepeatable)) return false;
  const read = new Set<string>();
  for (const command of commands) {
    const keys = keysOf(command);
    if (!isWrite(command)) for (const key of keys === "database" ? [anyKey] : keys) read.add(key);
    else if (keys === "database" ? read.size > 0 : read.has(anyKey) || keys.some((key) => read.has(key))) return false;
  }
  return true;
}

/** Stands for all keys; no text has half a surrogate pair. */
const anyKey = "\ud800";

/** The keys that a command touches, or `"database"` when it may touch any. */
export function keysOf(command: Command): readonly string[] | "database" {
  switch (factsOf(command).keys) {
    case "none":
      return [];
    case "first":
      return command.length > 1 ? [text(command[1])] : [];
    case "second":
      return command.length > 2 ? [text(command[2])] : [];
    case "first-two":
      return command.slice(1, 3).map(text);
    case "all":
      return command.slice(1).map(text);
    case "every-second":
      return command
        .slice(1)
        .filter((_, index) => index % 2 === 0)
        .map(text);
    case "numkeys":
      return command.slice(3, 3 + (Number(command[2]) || 0)).map(text);
    case "after-streams":
      return command.slice(...streamKeysAt(command)).map(text);
    case "database":
      return "database";
  }
}

/** How many words each option before STREAMS takes along. A group or a consumer may well be named like one of them. */
const streamOptions: ReadonlyMap<string, number> = new Map([
  ["COUNT", 1],
  ["BLOCK", 1],
  ["GROUP", 2],
  ["NOACK", 0],
]);

/** From which word of XREAD or XREADGROUP to which the keys are: half of what follows STREAMS; none where that is missing. */
export function streamKeysAt(command: Command): readonly [start: number, end: number] {
  for (let at = 1; at < command.length; at++) {
    const option = text(command[at]).toUpperCase();
    if (option === "STREAMS") return [at + 1, at + 1 + Math.floor((command.length - at - 1) / 2)];
    const taken = streamOptions.get(option);
    if (taken === undefined) break;
    at += taken;
  }
  return [0, 0];
}

const decoder = new TextDecoder();
const text = (arg: Argument | undefined): string => (arg instanceof Uint8Array ? decoder.decode(arg) : String(arg));
