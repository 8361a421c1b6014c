import { TextMap } from "../keys/text-map.ts";
import type { Argument, Command, Reply } from "../ports/transport.ts";
import { addReply, hasShape, popReply, positionReply, type ReplyRule, rankReply, setReply } from "./reply-shape.ts";

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
  /** What its reply looks like when Redis did not refuse it. */
  readonly reply: ReplyRule;
}

const read = (keys: KeySpec, reply: ReplyRule): CommandFacts => ({
  keys,
  write: false,
  repeatable: true,
  replaces: false,
  reply,
});
const write = (keys: KeySpec, reply: ReplyRule, repeatable: CommandFacts["repeatable"] = false): CommandFacts => ({
  ...read(keys, reply),
  write: true,
  repeatable,
});
const replace = (keys: KeySpec, reply: ReplyRule, repeatable: CommandFacts["repeatable"] = true): CommandFacts => ({
  ...write(keys, reply, repeatable),
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
  PING: read("none", "text"),
  ECHO: read("none", "text"),
  TIME: read("none", "array"),
  INFO: read("none", "text"),
  DBSIZE: read("database", "integer"),
  FLUSHDB: replace("database", "ok"),
  FLUSHALL: replace("database", "ok"),
  // keys
  DEL: replace("all", "integer"),
  UNLINK: replace("all", "integer"),
  EXISTS: read("all", "integer"),
  TOUCH: read("all", "integer"),
  TYPE: read("first", "text"),
  EXPIRE: write("first", "integer", plainExpire),
  PEXPIRE: write("first", "integer", plainExpire),
  EXPIREAT: write("first", "integer", plainExpire),
  PEXPIREAT: write("first", "integer", plainExpire),
  EXPIRETIME: read("first", "integer"),
  PEXPIRETIME: read("first", "integer"),
  TTL: read("first", "integer"),
  PTTL: read("first", "integer"),
  PERSIST: write("first", "integer", true),
  RENAME: write("first-two", "ok"),
  RENAMENX: write("first-two", "integer"),
  KEYS: read("database", "array"),
  SCAN: read("database", "page"),
  RANDOMKEY: read("database", "text?"),
  // strings and counters
  GET: read("first", "text?"),
  MGET: read("all", "per-argument"),
  STRLEN: read("first", "integer"),
  GETRANGE: read("first", "text"),
  SET: { ...write("first", setReply, plainSet), replaces: plainSet },
  SETEX: replace("first", "ok"),
  PSETEX: replace("first", "ok"),
  SETNX: write("first", "integer"),
  MSET: replace("every-second", "ok"),
  MSETNX: write("every-second", "integer"),
  GETSET: replace("first", "text?", false),
  GETDEL: replace("first", "text?", false),
  GETEX: write("first", "text?", true),
  APPEND: write("first", "integer"),
  SETRANGE: write("first", "integer", true),
  INCR: write("first", "integer"),
  DECR: write("first", "integer"),
  INCRBY: write("first", "integer"),
  DECRBY: write("first", "integer"),
  INCRBYFLOAT: write("first", "text"),
  // hashes
  HGET: read("first", "text?"),
  HMGET: read("first", "per-field"),
  HGETALL: read("first", "pairs"),
  HEXISTS: read("first", "integer"),
  HKEYS: read("first", "array"),
  HVALS: read("first", "array"),
  HLEN: read("first", "integer"),
  HSTRLEN: read("first", "integer"),
  HSCAN: read("first", "page"),
  HSET: write("first", "integer", true),
  HMSET: write("first", "ok", true),
  HSETNX: write("first", "integer"),
  HDEL: write("first", "integer", true),
  HINCRBY: write("first", "integer"),
  HINCRBYFLOAT: write("first", "text"),
  // lists
  LLEN: read("first", "integer"),
  LRANGE: read("first", "array"),
  LINDEX: read("first", "text?"),
  LPOS: read("first", positionReply),
  LPUSH: write("first", "integer"),
  RPUSH: write("first", "integer"),
  LPUSHX: write("first", "integer"),
  RPUSHX: write("first", "integer"),
  LPOP: write("first", popReply),
  RPOP: write("first", popReply),
  LSET: write("first", "ok", true),
  LREM: write("first", "integer"),
  LTRIM: write("first", "ok"),
  LINSERT: write("first", "integer"),
  LMOVE: write("first-two", "text?"),
  RPOPLPUSH: write("first-two", "text?"),
  // sorted sets
  ZCARD: read("first", "integer"),
  ZSCORE: read("first", "text?"),
  ZMSCORE: read("first", "per-field"),
  ZRANK: read("first", rankReply),
  ZREVRANK: read("first", rankReply),
  ZCOUNT: read("first", "integer"),
  ZRANGE: read("first", "array"),
  ZREVRANGE: read("first", "array"),
  ZRANGEBYSCORE: read("first", "array"),
  ZREVRANGEBYSCORE: read("first", "array"),
  ZADD: write("first", addReply, plainAdd),
  ZINCRBY: write("first", "text"),
  ZREM: write("first", "integer", true),
  ZREMRANGEBYSCORE: write("first", "integer", true),
  ZREMRANGEBYRANK: write("first", "integer"),
  ZPOPMIN: write("first", "array"),
  ZPOPMAX: write("first", "array"),
  // streams
  XLEN: read("first", "integer"),
  XRANGE: read("first", "array?"),
  XREVRANGE: read("first", "array?"),
  XADD: write("first", "text?"),
  XDEL: write("first", "integer", true),
  XTRIM: write("first", "integer", true),
  XSETID: write("first", "ok", true),
  XREAD: read("after-streams", "array?"),
  XINFO: read("second", "array"),
  XGROUP: write("second", "any", plainGroupChange),
  XPENDING: read("first", "array?"),
  // The second time they would give out other entries, or none, and count once more.
  XREADGROUP: write("after-streams", "array?"),
  XCLAIM: write("first", "array?"),
  XAUTOCLAIM: write("first", "array?"),
  XACK: write("first", "integer", true),
  // scripts
  EVAL: write("numkeys", "any"),
  EVALSHA: write("numkeys", "any"),
  EVAL_RO: read("numkeys", "any"),
  EVALSHA_RO: read("numkeys", "any"),
  SCRIPT: read("none", "any"),
  // messages
  // A channel stands where a key would: its messages are kept in the order in which they were sent.
  PUBLISH: { ...read("first", "integer"), repeatable: false },
};

/** A command nobody described may do anything to any key. */
const unknown: CommandFacts = write("database", "any");

const table: ReadonlyMap<string, CommandFacts> = new Map(Object.entries(facts));

/** The names in the table, upper case. */
export const knownCommands: readonly string[] = [...table.keys()];

/** What is known of a command; the most careful assumption for one that is not in the table. */
export function factsOf(command: Command): CommandFacts {
  return table.get(command[0]) ?? table.get(command[0].toUpperCase()) ?? unknown;
}

/**
 * Whether a reply can be the reply to this command: a number for DEL, an array of two for an MGET of two keys. When it
 * cannot, the connection is out of step, and no reply that comes on it can be trusted.
 */
export function isPossibleReply(command: Command, reply: Reply): boolean {
  return hasShape(factsOf(command).reply, command, reply);
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
  const read = new TextMap<true>();
  for (const command of commands) {
    const keys = keysOf(command);
    if (!isWrite(command)) for (const key of keys === "database" ? [anyKey] : keys) read.set(key, true);
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
