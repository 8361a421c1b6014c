import type { Argument, Command } from "../ports/transport.ts";
import { isAnnouncement } from "./invalidation-stream.ts";

/**
 * Which arguments are keys: by position, `"numkeys"` (a count, then that many), `"after-streams"` (the first half of
 * what follows the word STREAMS), or `"database"` (all keys there are).
 */
export type KeySpec =
  | "none"
  | "first"
  | "second"
  | "first-two"
  | "all"
  | "every-second"
  | "numkeys"
  | "after-streams"
  | "database";

/**
 * What a command's reply looks like when Redis did not refuse it. A `?` allows null.
 *
 * - `"ok"`: the text OK. `"text"`: any text or bytes. `"integer"`: a number. `"array"`: an array of anything.
 * - `"per-argument"`: an array with one text or null for each argument; `"per-field"`: the same, after a first argument
 *   that is the key.
 * - `"pairs"`: an array of even length. `"page"`: a cursor, then an array.
 * - `"any"`: nothing is known.
 */
export type ReplyShape =
  | "any"
  | "ok"
  | "ok?"
  | "text"
  | "text?"
  | "integer"
  | "integer?"
  | "array"
  | "array?"
  | "per-argument"
  | "per-field"
  | "pairs"
  | "page";

/** The shape of a command's reply, or how to tell it from the command's options. */
export type ReplyRule = ReplyShape | ((command: Command) => ReplyShape);

/** What is known of a command: the only list of command names there is. */
export interface CommandFacts {
  readonly keys: KeySpec | ((args: readonly Argument[]) => KeySpec);
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

const read = (keys: CommandFacts["keys"], reply: ReplyRule): CommandFacts => ({
  keys,
  write: false,
  repeatable: true,
  replaces: false,
  reply,
});
const write = (
  keys: CommandFacts["keys"],
  reply: ReplyRule,
  repeatable: CommandFacts["repeatable"] = false,
): CommandFacts => ({
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
/** The conditions of SET and DELEX that compare what is stored with a value, or with a digest of it. */
const comparing = ["IFEQ", "IFNE", "IFDEQ", "IFDNE"] as const;
/** SET with a condition or GET answers by what was there before, and the first try may have been there. */
const plainSet = (args: readonly Argument[]): boolean => !has(args.slice(2), "NX", "XX", "GET", ...comparing);
/** DELEX without a condition is DEL of one key. */
const plainDelete = (args: readonly Argument[]): boolean => args.length < 2;
/** EXPIRE with a condition answers by the time left before, which the first try may have changed. */
const plainExpire = (args: readonly Argument[]): boolean => !has(args.slice(2), "NX", "XX", "GT", "LT");
/**
 * ZADD with a condition or a difference answers by what was there before; without, the same scores stand afterwards.
 */
const plainAdd = (args: readonly Argument[]): boolean => !has(args.slice(1, 6), "NX", "XX", "GT", "LT", "CH", "INCR");
/** XGROUP: CREATE refuses the second time, and `$` may be elsewhere by then. */
const plainGroupChange = ([subcommand, , , start]: readonly Argument[]): boolean =>
  !has([subcommand ?? ""], "CREATE") && !(has([subcommand ?? ""], "SETID") && start === "$");

const isWord = (argument: Argument | undefined, word: string): boolean =>
  typeof argument === "string" && argument.toUpperCase() === word;

function hasWord(command: Command, from: number, word: string): boolean {
  for (let at = from; at < command.length; at++) if (isWord(command[at], word)) return true;
  return false;
}

/** SET with GET answers by what was there before. */
const setReply = (command: Command): ReplyShape => (hasWord(command, 3, "GET") ? "text?" : "ok?");

/** LPOP and RPOP with a count answer with an array. */
const popReply = ({ length }: Command): ReplyShape => (length > 2 ? "array?" : "text?");

/** LPOS with COUNT answers with all positions. */
const positionReply = (command: Command): ReplyShape => (hasWord(command, 3, "COUNT") ? "array?" : "integer?");

/** ZRANK and ZREVRANK with WITHSCORE answer with a pair. */
const rankReply = (command: Command): ReplyShape => (hasWord(command, 3, "WITHSCORE") ? "array?" : "integer?");

/**
 * ZADD with INCR answers with the new score. The options stand before the first score; a member may be named like
 * one.
 */
function addReply(command: Command): ReplyShape {
  for (let at = 2; at < command.length; at++) {
    if (isWord(command[at], "INCR")) return "text?";
    if (!["NX", "XX", "GT", "LT", "CH"].some((word) => isWord(command[at], word))) break;
  }
  return "integer";
}

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
  DELEX: { ...write("first", "integer", plainDelete), replaces: plainDelete },
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
  DIGEST: read("first", "text?"),
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
  XADD: write((args) => (isAnnouncement(args) ? "none" : "first"), "text?", isAnnouncement),
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

/** A command that is not in the table may do anything to any key. */
export const unknown: CommandFacts = write("database", "any");

/** By the name, upper case. */
export const commandTable: ReadonlyMap<string, CommandFacts> = new Map(Object.entries(facts));

/** The names in the table, upper case. */
export const knownCommands: readonly string[] = [...commandTable.keys()];
