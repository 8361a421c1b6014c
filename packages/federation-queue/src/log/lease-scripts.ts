import { defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { serverTimeMs } from "@continuum-cache/core/kit";
import { isHeldAt, noHolder, readRegistered, registryLua, writeRegistered } from "./registry.ts";
import { lastIdOf, laterOf, noId, parseId, type StreamId, writeId } from "./stream.ts";

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
local function seq(id)
  local text = string.match(id, "%-(%d+)$")
  return #text > 15 and 0 or tonumber(text)
end
local latest = last
if seq(known) > seq(latest) then latest = known end
if seq(top) > seq(latest) then latest = top end
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
local function seq(id) return tonumber(string.match(id, "%-(%d+)$")) end
if seq(known) > seq(last) then last = known end
redis.call("HSET", registry, origin, table.concat({"-", whole(since), "0", last}, " "))
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
