import type { Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeMs } from "@continuum-cache/core/kit";
import { readRegistered, registryLua, writeRegistered } from "./registry.ts";
import { eventField, lastIdOf, noId, parseId, type StreamId } from "./stream.ts";

/**
 * Appends events under given ids, each once, however often they are sent. It goes on only from exactly the entry that
 * the process believes to be the last, or from one of these events: numbers have no hole, and an entry of another
 * history is never taken for one of this process's own.
 *
 * KEYS: the registry, the origin's stream. ARGV: origin, random token of the process, the id before the first event,
 * the least time in ms to keep ("" trims nothing), the lease in ms to renew it by ("" leaves it), then of each event
 * its id and text. Returns "appended", how many were added now, and the server's time in ms ("" without a lease);
 * "lost", since when another process holds the name (or held it last, or "0") and its token; or "behind" and the
 * stream's last id.
 */
export const appendScript: Script = defineScript({
  name: "log-append",
  keys: 2,
  lua: `${registryLua}
local registry, stream = KEYS[1], KEYS[2]
local origin, me, after, floor, lease = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local holder, since = registered(redis.call("HGET", registry, origin))
if holder ~= me then return {"lost", whole(since), holder} end
local last, failure = lastOf(stream)
if failure then return failure end
local from
if last == after then from = 6 end
for n = 6, #ARGV, 2 do
  if ARGV[n] == last then from = n + 2 end
end
if not from then return {"behind", last} end
local added = 0
for n = from, #ARGV, 2 do
  if floor ~= "" and added == 0 then
    redis.call("XADD", stream, "MINID", "~", floor, ARGV[n], "${eventField}", ARGV[n + 1])
  else
    redis.call("XADD", stream, ARGV[n], "${eventField}", ARGV[n + 1])
  end
  added = added + 1
end
if lease == "" then return {"appended", added, ""} end
local now = serverMs()
redis.call("HSET", registry, origin, table.concat({me, whole(since), whole(now + tonumber(lease)), ARGV[#ARGV - 1]}, " "))
return {"appended", added, whole(now)}`,
  memory: append,
});

function append({ call, keys: [registry = "", stream = ""], args }: ScriptContext): Reply {
  const [origin = "", me = "", after = "", floor = "", lease = "", ...events] = args.map(String);
  const { holder, sinceMs } = readRegistered(call("HGET", registry, origin));
  if (holder !== me) return ["lost", String(sinceMs), holder];
  const last = lastIdOf(() => call("XINFO", "STREAM", stream));
  let from = last === after ? 0 : -1;
  for (let at = 0; at < events.length; at += 2) if (events[at] === last) from = at + 2;
  if (from < 0) return ["behind", last];
  let added = 0;
  for (let at = from; at < events.length; at += 2) {
    const trim = floor !== "" && added === 0 ? ["MINID", "~", floor] : [];
    call("XADD", stream, ...trim, events[at] ?? "", eventField, events[at + 1] ?? "");
    added++;
  }
  if (lease === "") return ["appended", added, ""];
  const now = serverTimeMs(call("TIME"));
  const top = parseId(events.at(-2)) ?? noId;
  call("HSET", registry, origin, writeRegistered({ holder: me, sinceMs, untilMs: now + Number(lease), last: top }));
  return ["appended", added, String(now)];
}

/** The outcome of an append. */
export type AppendAnswer =
  | { readonly kind: "appended"; readonly nowMs: number | undefined }
  | { readonly kind: "lost"; readonly sinceMs: number; readonly holder: string }
  | { readonly kind: "behind"; readonly last: StreamId }
  /** The stream ends with an id that a log does not write: Redis accepts no entry behind it. */
  | { readonly kind: "blocked"; readonly lastId: string };

export function readAppendAnswer(reply: Reply): AppendAnswer {
  const [kind, first = "", second = ""] = (reply as readonly Reply[]).map(String);
  if (kind === "lost") return { kind, sinceMs: Number(first), holder: second };
  if (kind === "behind") {
    const last = parseId(first);
    return last ? { kind, last } : { kind: "blocked", lastId: first };
  }
  return { kind: "appended", nowMs: second === "" ? undefined : Number(second) };
}
