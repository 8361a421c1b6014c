import type { Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeLua, serverTimeMs } from "@continuum-cache/core/kit";
import { lastIdOf, laterOf, noId, parseId, type StreamId, writeId } from "./stream.ts";

/** What the registry knows of an origin. */
export interface Registered {
  /**
   * The random token of the process that holds the lease; `noHolder` after its release, or when a relay wrote the row.
   */
  readonly holder: string;
  /**
   * When the lease was taken last, by the server's clock. It grows with each holder, also after a failover that forgot
   * some.
   */
  readonly sinceMs: number;
  /** When the lease ends, by the server's clock. */
  readonly untilMs: number;
  /** The latest event at that time: numbers go on from it when the stream is gone. */
  readonly last: StreamId;
}

export const noHolder = "-";

/** A known origin without a holder: a relay registers the streams that it copies like this (HSETNX). */
const unheld: Registered = { holder: noHolder, sinceMs: 0, untilMs: 0, last: noId };

export const isHeldAt = ({ holder, untilMs }: Registered, nowMs: number): boolean =>
  holder !== noHolder && untilMs > nowMs;

/** Four words: who holds it, since when, until when, and the id of its last event. */
export const writeRegistered = ({ holder, sinceMs, untilMs, last }: Registered): string =>
  [holder, sinceMs, untilMs, writeId(last)].join(" ");

/** A text that cannot be read counts as an origin without a holder. */
export function readRegistered(text: unknown): Registered {
  const found = typeof text === "string" ? /^(\S+) (\d+) (\d+) (\d+-\d+)$/.exec(text) : null;
  if (!found) return unheld;
  const [, holder = noHolder, sinceMs, untilMs, last] = found;
  return { holder, sinceMs: Number(sinceMs), untilMs: Number(untilMs), last: parseId(last) ?? noId };
}

/** HGETALL of the registry: every origin there is. */
export function readRegistry(reply: unknown): ReadonlyMap<string, Registered> {
  const words = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  const found = new Map<string, Registered>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const origin = words[at];
    if (typeof origin === "string") found.set(origin, readRegistered(words[at + 1]));
  }
  return found;
}

/**
 * The Lua prelude of the log's scripts: the functions above, and the last id of a stream, which outlives its entries.
 */
export const registryLua: string = `${serverTimeLua}
local function registered(text)
  local holder, since, untilMs, last = string.match(text or "", "^(%S+) (%d+) (%d+) (%d+%-%d+)$")
  return holder or "-", tonumber(since or 0), tonumber(untilMs or 0), last or "0-0"
end
local function lastOf(key)
  local info = redis.pcall("XINFO", "STREAM", key)
  if info.err then
    if string.find(info.err, "no such key", 1, true) then return "0-0" end
    return nil, info
  end
  for n = 1, #info - 1, 2 do
    if info[n] == "last-generated-id" then return info[n + 1] end
  end
  return "0-0"
end
local function laterOf(one, other)
  local function seq(id)
    local text = string.match(id, "%-(%d+)$")
    return #text > 15 and 0 or tonumber(text)
  end
  return seq(other) > seq(one) and other or one
end`;

/**
 * Takes or renews the lease of an origin's name. A name is free after its lease has ended or was released. A holder
 * that renews late keeps the name when no other process has taken it meanwhile.
 *
 * KEYS: the registry, the origin's stream. ARGV: origin, random token of the process, lease in ms, whether it may take
 * the name (1) or only renew its lease (0), the last id that this process knows, retention in ms to trim the stream by
 * ("" leaves it). Returns "held", the server's time in ms, since when the name is held, the stream's last id, the last
 * id that the registry knew, the holder before, and since when that held it; or "conflict", the server's time, since
 * when, until when, and the token of the other holder.
 */
export const leaseScript: Script = defineScript({
  name: "log-lease",
  keys: 2,
  lua: `${registryLua}
local registry, stream = KEYS[1], KEYS[2]
local origin, me, lease, mayTake, known, retention = unpack(ARGV)
local holder, since, untilMs, last = registered(redis.call("HGET", registry, origin))
local now = serverMs()
if holder ~= me and (mayTake ~= "1" or (holder ~= "-" and untilMs > now)) then
  return {"conflict", whole(now), whole(since), whole(untilMs), holder}
end
local top, failure = lastOf(stream)
if failure then return failure end
local sinceNow = since
if holder ~= me then sinceNow = math.max(now, since + 1) end
local latest = laterOf(laterOf(last, known), top)
redis.call("HSET", registry, origin, table.concat({me, whole(sinceNow), whole(now + tonumber(lease)), latest}, " "))
if retention ~= "" then redis.call("XTRIM", stream, "MINID", whole(math.max(0, now - tonumber(retention)))) end
return {"held", whole(now), whole(sinceNow), top, last, holder, whole(since)}`,
  memory: lease,
});

function lease({ call, keys: [registry = "", stream = ""], args }: ScriptContext): Reply {
  const [origin = "", me = "", leaseMs = "", mayTake = "", known = "", retention = ""] = args.map(String);
  const before = readRegistered(call("HGET", registry, origin));
  const { holder, last } = before;
  const now = serverTimeMs(call("TIME"));
  if (holder !== me && (mayTake !== "1" || isHeldAt(before, now))) {
    return ["conflict", String(now), String(before.sinceMs), String(before.untilMs), holder];
  }
  const top = lastIdOf(() => call("XINFO", "STREAM", stream));
  const sinceMs = holder === me ? before.sinceMs : Math.max(now, before.sinceMs + 1);
  const latest = [parseId(known) ?? noId, parseId(top) ?? noId].reduce(laterOf, last);
  call(
    "HSET",
    registry,
    origin,
    writeRegistered({ holder: me, sinceMs, untilMs: now + Number(leaseMs), last: latest }),
  );
  if (retention !== "") call("XTRIM", stream, "MINID", String(Math.max(0, now - Number(retention))));
  return ["held", String(now), String(sinceMs), top, writeId(last), holder, String(before.sinceMs)];
}

/** What the registry says of the name after a try to take or renew its lease. */
export type LeaseAnswer =
  | {
      readonly kind: "held";
      readonly nowMs: number;
      readonly sinceMs: number;
      readonly streamLast: StreamId;
      readonly registryLast: StreamId;
      readonly before: { readonly holder: string; readonly sinceMs: number };
    }
  | {
      readonly kind: "conflict";
      readonly nowMs: number;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly holder: string;
    };

export function readLeaseAnswer(reply: Reply): LeaseAnswer {
  const [kind, now, since, first, second = noHolder, holder = noHolder, sinceBefore] = (reply as readonly Reply[]).map(
    String,
  );
  const [nowMs, sinceMs] = [Number(now), Number(since)];
  if (kind !== "held") return { kind: "conflict", nowMs, sinceMs, untilMs: Number(first), holder: second };
  const [streamLast, registryLast] = [parseId(first) ?? noId, parseId(second) ?? noId];
  return { kind: "held", nowMs, sinceMs, streamLast, registryLast, before: { holder, sinceMs: Number(sinceBefore) } };
}

/**
 * Releases the lease of an origin's name, if this process still holds it.
 *
 * KEYS: the registry. ARGV: origin, random token of the process, the last id it knows. Returns 1, or 0 when another
 * process holds the name.
 */
export const releaseScript: Script = defineScript({
  name: "log-release",
  keys: 1,
  lua: `${registryLua}
local registry, origin, me, known = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local holder, since, _, last = registered(redis.call("HGET", registry, origin))
if holder ~= me then return 0 end
redis.call("HSET", registry, origin, table.concat({"-", whole(since), "0", laterOf(last, known)}, " "))
return 1`,
  memory: ({ call, keys: [registry = ""], args }) => {
    const [origin = "", me = "", known = ""] = args.map(String);
    const { holder, sinceMs, last } = readRegistered(call("HGET", registry, origin));
    if (holder !== me) return 0;
    const latest = laterOf(last, parseId(known) ?? noId);
    call("HSET", registry, origin, writeRegistered({ holder: noHolder, sinceMs, untilMs: 0, last: latest }));
    return 1;
  },
});
