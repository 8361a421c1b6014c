import { defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { timeMs } from "../shared/server-time.ts";
import { fieldsLua, type StreamEntry } from "./message-fields.ts";

/** So many entries are looked at together when a push looks for itself, and so often: it must not hold up the server. */
const pageEntries = 500;
const maxPages = 20;

/**
 * Pushes one message that a plain XADD can't: with an id of its caller's, with a delay, or once more after an outcome that
 * nobody knows. It may be repeated without harm: a marker tells its own push by the nonce, and one without a marker looks
 * for itself among the latest entries.
 *
 * KEYS: the stream (or the set of delayed messages), and the id's marker if it has one. ARGV: time to live of the marker in
 * ms, nonce, delay in ms ("": none), how many ms ago the first attempt was at most (0: this is the first), since when it can
 * be there in ms, least id that is kept ("": no matter), then the message: as fields, or as a member of the set.
 * Returns what became of it ("new", "same" or "duplicate"), and its entry's id or its due time in ms ("": not known).
 */
export const pushScript: Script = defineScript({
  name: "queue-push",
  keys: "any",
  lua: `${fieldsLua}
local key, marker = KEYS[1], KEYS[2]
local ttl, nonce, delay, doubt, since, floor = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if marker then
  if not redis.call("SET", marker, nonce, "NX", "PX", ttl) then
    return {redis.call("GET", marker) == nonce and "same" or "duplicate", ""}
  end
elseif doubt > 0 and delay == "" then
  local from = string.format("%.0f", math.max(since, serverMs() - doubt))
  for _ = 1, ${maxPages} do
    local page = redis.call("XRANGE", key, from, "+", "COUNT", ${pageEntries})
    for _, entry in ipairs(page) do
      if entry[2][1] == "i" and entry[2][2] == ARGV[8] then return {"same", entry[1]} end
      from = "(" .. entry[1]
    end
    if #page < ${pageEntries} then break end
  end
end
if delay ~= "" then
  local due = string.format("%.0f", serverMs() + tonumber(delay))
  redis.call("ZADD", key, "NX", due, ARGV[7])
  return {"new", due}
end
if floor ~= "" then return {"new", redis.call("XADD", key, "MINID", "~", floor, "*", unpack(ARGV, 7))} end
return {"new", redis.call("XADD", key, "*", unpack(ARGV, 7))}`,
  memory: push,
});

function push({ call, keys: [key = "", marker], args }: ScriptContext): Reply {
  const [ttl = "", nonce = "", delay = "", doubt = "0", since = "0", floor = "", ...message] = args.map(String);
  if (marker !== undefined) {
    if (call("SET", marker, nonce, "NX", "PX", ttl) === null) {
      return [call("GET", marker) === nonce ? "same" : "duplicate", ""];
    }
  } else if (Number(doubt) > 0 && delay === "") {
    const own = ownEntry(Math.max(Number(since), timeMs(call("TIME")) - Number(doubt)), message[1]);
    if (own !== undefined) return ["same", own];
  }
  if (delay !== "") {
    const due = String(timeMs(call("TIME")) + Number(delay));
    call("ZADD", key, "NX", due, message[0] ?? "");
    return ["new", due];
  }
  return ["new", call("XADD", key, ...(floor === "" ? [] : ["MINID", "~", floor]), "*", ...message)];

  function ownEntry(fromMs: number, id: string | undefined): string | undefined {
    let from = String(fromMs);
    for (let pages = 0; pages < maxPages; pages++) {
      const page = call("XRANGE", key, from, "+", "COUNT", pageEntries) as readonly StreamEntry[];
      for (const [entryId, fields] of page) {
        if (fields?.[0] === "i" && fields[1] === id) return entryId;
        from = `(${entryId}`;
      }
      if (page.length < pageEntries) break;
    }
    return undefined;
  }
}
