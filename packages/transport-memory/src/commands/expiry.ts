import { never } from "../keyspace/keyspace.ts";
import { type Bulk, legible, word } from "../values/bulk.ts";
import { refusal } from "../values/refusals.ts";
import { type CommandRow, type CommandRows, row } from "./command-row.ts";
import { atMillisecond, atSecond, expireTime, milliseconds, seconds, type TimeUnit } from "./expire-time.ts";

type Condition = "NX" | "XX" | "GT" | "LT";

const conditions: readonly string[] = ["NX", "XX", "GT", "LT"];

function conditionsOf(words: readonly Bulk[]): ReadonlySet<Condition> {
  const found = new Set<Condition>();
  for (const bulk of words) {
    if (!conditions.includes(word(bulk))) throw refusal(`ERR Unsupported option ${legible(bulk)}`);
    found.add(word(bulk) as Condition);
  }
  if (found.has("NX") && found.size > 1) {
    throw refusal("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (found.has("GT") && found.has("LT")) {
    throw refusal("ERR GT and LT options at the same time are not compatible");
  }
  return found;
}

/** Whether the conditions allow a new expiry. For GT and LT a key without expiry counts as expiring never. */
const meets: Readonly<Record<Condition, (oldMs: number, newMs: number) => boolean>> = {
  NX: (oldMs) => oldMs === never,
  XX: (oldMs) => oldMs !== never,
  GT: (oldMs, newMs) => newMs > oldMs,
  LT: (oldMs, newMs) => newMs < oldMs,
};

const expire = (unit: TimeUnit): CommandRow =>
  row(-3, ({ keyspace, name, nowMs }, [key, time, ...words]) => {
    const asked = conditionsOf(words);
    const expiresAtMs = expireTime(name, time, unit, nowMs);
    const entry = keyspace.find(key);
    if (!entry) return 0;
    for (const condition of asked) if (!meets[condition](entry.expiresAtMs, expiresAtMs)) return 0;
    if (expiresAtMs <= nowMs) keyspace.remove(key);
    else keyspace.put(key, entry.value, expiresAtMs);
    return 1;
  });

/** TTL, PTTL and their dates: the time left or the date of an expiry, in seconds (rounded) or milliseconds. */
const end = (unit: TimeUnit): CommandRow =>
  row(2, ({ keyspace, nowMs }, [key]) => {
    const entry = keyspace.peek(key);
    if (!entry) return -2;
    if (entry.expiresAtMs === never) return -1;
    const ms = unit.absolute ? entry.expiresAtMs : Math.max(0, entry.expiresAtMs - nowMs);
    return unit.ms === 1 ? ms : Math.floor((ms + 500) / 1_000);
  });

export const expiry: CommandRows = {
  EXPIRE: expire(seconds),
  PEXPIRE: expire(milliseconds),
  EXPIREAT: expire(atSecond),
  PEXPIREAT: expire(atMillisecond),
  TTL: end(seconds),
  PTTL: end(milliseconds),
  EXPIRETIME: end(atSecond),
  PEXPIRETIME: end(atMillisecond),
  PERSIST: row(2, ({ keyspace }, [key]) => {
    const entry = keyspace.find(key);
    if (!entry || entry.expiresAtMs === never) return 0;
    keyspace.put(key, entry.value, never);
    return 1;
  }),
};
