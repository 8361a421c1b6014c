import { CodecError } from "../errors/codec-error.ts";
import { isCommandError } from "../errors/command-error.ts";
import { assertKey } from "../keys/key-limit.ts";
import { toWireChannel } from "../messages/channel-name.ts";
import { toMessageText } from "../messages/message-text.ts";
import type { Command, Reply } from "../ports/transport.ts";
import { type Duration, toMs } from "../time/duration.ts";
import type { StatsRecorder } from "./cache-stats.ts";
import { expiryArguments, type TimeToLive } from "./time-to-live.ts";
import type { Values } from "./values.ts";

/** One operation of the cache as data: the command that it sends, and how its reply is read. */
export interface Request<Result> {
  readonly operation: string;
  /** Absent when there is nothing to send: the value was skipped. */
  readonly command: Command | undefined;
  /** @throws CommandError when Redis said no. */
  read(reply: Reply): Result;
}

/** How a value is set. */
export interface SetOptions {
  /** How long it lives; `Infinity` for no expiry. @default its key family's, else the cache's `defaultTtl` */
  readonly ttl?: TimeToLive;
  /** Only if the key does not exist. @default false */
  readonly nx?: boolean;
  /** Only if the key exists. @default false */
  readonly xx?: boolean;
  /** Leaves the time that the key still has. @default false */
  readonly keepTtl?: boolean;
}

/** Makes requests; what the cache and its pipelines have in common. */
export interface Requests {
  set(key: string, value: unknown, options?: SetOptions): Request<boolean>;
  get(key: string): Request<unknown>;
  delete(keys: readonly string[]): Request<number>;
  exists(key: string): Request<boolean>;
  expire(key: string, ttl: Duration): Request<boolean>;
  ttl(key: string): Request<number>;
  increment(key: string, by?: number): Request<number>;
  push(name: "LPUSH" | "RPUSH", key: string, items: readonly unknown[]): Request<number>;
  pop(name: "LPOP" | "RPOP", key: string): Request<unknown>;
  lrange(key: string, start: number, stop: number): Request<unknown[]>;
  llen(key: string): Request<number>;
  publish(channel: string, data: unknown): Request<number>;
}

export function createRequests(
  prefix: string,
  values: Values,
  stats: StatsRecorder,
  chooseTtl: (key: string, own: TimeToLive | undefined) => number | undefined,
): Requests {
  const full = (key: string): string => {
    assertKey(key);
    const prefixed = prefix + key;
    if (prefix !== "") assertKey(prefixed);
    return prefixed;
  };
  const integer = (operation: string, command: Command): Request<number> => ({ operation, command, read: readInteger });
  const flag = (operation: string, command: Command): Request<boolean> => ({
    operation,
    command,
    read: (reply) => readInteger(reply) === 1,
  });
  const value = (operation: string, key: string, command: Command): Request<unknown> => ({
    operation,
    command,
    read: (reply) => values.fromStored(operation, key, reply),
  });

  return {
    set(key, item, options = {}) {
      const conditions = setConditions(options);
      const fullKey = full(key);
      const ttlMs = options.keepTtl ? undefined : chooseTtl(key, options.ttl);
      const stored = values.toStored(key, item);
      return {
        operation: "set",
        command: stored === undefined ? undefined : ["SET", fullKey, stored, ...expiryArguments(ttlMs), ...conditions],
        read: (reply) => loud(reply) === "OK",
      };
    },
    get: (key) => ({
      operation: "get",
      command: ["GET", full(key)],
      read(reply) {
        const found = values.fromStored("get", key, reply);
        stats.count(found === undefined ? "misses" : "hits");
        return found;
      },
    }),
    delete: (keys) => ({
      operation: "delete",
      command: keys.length === 0 ? undefined : ["DEL", ...keys.map(full)],
      read: (reply) => (reply === null ? 0 : readInteger(reply)),
    }),
    exists: (key) => flag("exists", ["EXISTS", full(key)]),
    expire: (key, ttl) => flag("expire", ["PEXPIRE", full(key), toMs(ttl, "ttl")]),
    ttl: (key) => integer("ttl", ["TTL", full(key)]),
    increment(key, by = 1) {
      if (!Number.isSafeInteger(by)) throw new RangeError(`Expected to increment by a whole number, got ${String(by)}`);
      return integer("increment", ["INCRBY", full(key), by]);
    },
    push(name, key, items) {
      if (items.length === 0) throw new RangeError("Expected at least one value to push, got none");
      const stored = items.map((item) => values.toItem("item", key, item));
      return integer(name.toLowerCase(), [name, full(key), ...stored]);
    },
    pop: (name, key) => value(name.toLowerCase(), key, [name, full(key)]),
    lrange(key, start, stop) {
      for (const index of [start, stop]) {
        if (!Number.isSafeInteger(index)) {
          throw new RangeError(`Expected a whole number as list index, got ${String(index)}`);
        }
      }
      return {
        operation: "lrange",
        command: ["LRANGE", full(key), start, stop],
        read: (reply) => (loud(reply) as readonly Reply[]).map((item) => values.fromStored("lrange", key, item)),
      };
    },
    llen: (key) => integer("llen", ["LLEN", full(key)]),
    publish(channel, data) {
      const wire = toWireChannel(channel);
      return integer("publish", ["PUBLISH", wire, toMessageText(values.toItem("message", channel, data))]);
    },
  };
}

function setConditions({ nx, xx, keepTtl, ttl }: SetOptions): string[] {
  if (nx && xx) throw new TypeError("Expected `nx` or `xx`, got both: no key both exists and does not");
  if (keepTtl && ttl !== undefined) throw new TypeError("Expected `ttl` or `keepTtl`, got both");
  return [...(nx ? ["NX"] : []), ...(xx ? ["XX"] : []), ...(keepTtl ? ["KEEPTTL"] : [])];
}

function loud(reply: Reply): Exclude<Reply, Error> {
  if (isCommandError(reply)) throw reply;
  return reply;
}

function readInteger(reply: Reply): number {
  const integer = Number(loud(reply));
  // JSON numbers are doubles: beyond 2^53 an answer over REST would be rounded, and a rounded counter is a wrong one.
  if (!Number.isSafeInteger(integer))
    throw new CodecError("integer", "Expected a whole number within ±2^53 from Redis");
  return integer;
}
