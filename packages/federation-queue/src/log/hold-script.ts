import { defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { timeMs } from "../shared/replies.ts";
import { nobody, readRegistered, writeRegistered } from "./registry.ts";
import { registryLua } from "./registry-lua.ts";
import { noId, parseId, type StreamId } from "./stream-id.ts";
import { lastOf } from "./stream-info.ts";

/**
 * Takes an origin's name, or holds it on. A name whose time is over, or that was given back, is free; a holder that is
 * merely late, and was not followed by another, goes on.
 *
 * KEYS: the registry, the origin's stream. ARGV: origin, random name of the process, lease in ms, whether it may take the
 * name (1) or only hold it on (0), the last id that this process knows, retention in ms if the stream is to be trimmed ("").
 * Returns "held", the server's time in ms, since when it is held, the stream's last id, the last id the registry knew, and
 * the holder before, and since when that was; or "taken", the server's time, since when, until when, and by whom.
 */
export const holdScript: Script = defineScript({
  name: "log-hold",
  keys: 2,
  lua: `${registryLua}
local registry, stream = KEYS[1], KEYS[2]
local origin, me, lease, mayTake, known, retention = unpack(ARGV)
local holder, since, untilMs, last = registered(redis.call("HGET", registry, origin))
local now = serverMs()
if holder ~= me and (mayTake ~= "1" or (holder ~= "-" and untilMs > now)) then
  return {"taken", whole(now), whole(since), whole(untilMs), holder}
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
  memory: hold,
});

function hold({ call, keys: [registry = "", stream = ""], args }: ScriptContext): Reply {
  const [origin = "", me = "", lease = "", mayTake = "", known = "", retention = ""] = args.map(String);
  const before = readRegistered(call("HGET", registry, origin));
  const now = timeMs(call("TIME"));
  if (before.holder !== me && (mayTake !== "1" || (before.holder !== nobody && before.untilMs > now))) {
    return ["taken", String(now), String(before.sinceMs), String(before.untilMs), before.holder];
  }
  const top = lastOf(() => call("XINFO", "STREAM", stream));
  const sinceMs = before.holder === me ? before.sinceMs : Math.max(now, before.sinceMs + 1);
  const last = [parseId(known) ?? noId, parseId(top) ?? noId].reduce(later, before.last);
  call("HSET", registry, origin, writeRegistered({ holder: me, sinceMs, untilMs: now + Number(lease), last }));
  if (retention !== "") call("XTRIM", stream, "MINID", String(Math.max(0, now - Number(retention))));
  const { atMs, seq } = before.last;
  return ["held", String(now), String(sinceMs), top, `${atMs}-${seq}`, before.holder, String(before.sinceMs)];
}

const later = (one: StreamId, other: StreamId): StreamId => (other.seq > one.seq ? other : one);

/** What became of it. */
export type HoldAnswer =
  | {
      readonly kind: "held";
      readonly nowMs: number;
      readonly sinceMs: number;
      readonly streamLast: StreamId;
      readonly registryLast: StreamId;
      readonly before: { readonly holder: string; readonly sinceMs: number };
    }
  | {
      readonly kind: "taken";
      readonly nowMs: number;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly holder: string;
    };

export function readHoldAnswer(reply: Reply): HoldAnswer {
  const [kind, now, since, ...rest] = (reply as readonly Reply[]).map(String);
  const nowMs = Number(now);
  const sinceMs = Number(since);
  const [first, second, holder = nobody, sinceBefore] = rest;
  if (kind !== "held") return { kind: "taken", nowMs, sinceMs, untilMs: Number(first), holder: second ?? nobody };
  return {
    kind: "held",
    nowMs,
    sinceMs,
    streamLast: parseId(first) ?? noId,
    registryLast: parseId(second) ?? noId,
    before: { holder, sinceMs: Number(sinceBefore) },
  };
}
