import { isCommandError, type Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeMs } from "@continuum-cache/core/kit";
import { fieldsLua, type StreamEntry } from "./message-fields.ts";
import type { PendingPush } from "./pending-push.ts";

/**
 * The most entries that a repeated push searches for itself, in pages: the script must not block the server for long.
 */
const pageEntries = 500;
const maxPages = 20;

/**
 * Pushes one message that a plain XADD can't push: with an id of its caller's, with a delay, or again after an attempt
 * whose outcome is unknown. Running it twice is harmless: a push with a marker recognizes itself by the nonce, one
 * without a marker searches for itself among the latest entries.
 *
 * KEYS: the stream (or the set of delayed messages), and the id's marker if it has one. ARGV: time to live of the
 * marker in ms, nonce, delay in ms ("": none), how many ms ago the first attempt left at most (0: this is the first),
 * the earliest time in ms at which its entry can stand, the least entry id to keep ("": keep all), then the message: as
 * fields, or as a member of the set. Returns "new", "same" (an earlier attempt pushed it) or "duplicate", and the
 * entry's id or due time in ms ("": unknown).
 */
export const pushScript: Script = defineScript({
  name: "queue-push",
  keys: "any",
  lua: `${fieldsLua}
local key, marker = KEYS[1], KEYS[2]
local ttl, nonce, delay, age, since, floor = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if marker then
  if not redis.call("SET", marker, nonce, "NX", "PX", ttl) then
    return {redis.call("GET", marker) == nonce and "same" or "duplicate", ""}
  end
elseif age > 0 and delay == "" then
  local from = whole(math.max(since, serverMs() - age))
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
  local due = whole(serverMs() + tonumber(delay))
  redis.call("ZADD", key, "NX", due, ARGV[7])
  return {"new", due}
end
if floor ~= "" then return {"new", redis.call("XADD", key, "MINID", "~", floor, "*", unpack(ARGV, 7))} end
return {"new", redis.call("XADD", key, "*", unpack(ARGV, 7))}`,
  memory: push,
});

function push({ call, keys: [key = "", marker], args }: ScriptContext): Reply {
  const [ttl = "", nonce = "", delay = "", age = "0", since = "0", floor = "", ...message] = args.map(String);
  if (marker !== undefined) {
    if (call("SET", marker, nonce, "NX", "PX", ttl) === null) {
      return [call("GET", marker) === nonce ? "same" : "duplicate", ""];
    }
  } else if (Number(age) > 0 && delay === "") {
    const own = ownEntry(Math.max(Number(since), serverTimeMs(call("TIME")) - Number(age)), message[1]);
    if (own !== undefined) return ["same", own];
  }
  if (delay !== "") {
    const due = String(serverTimeMs(call("TIME")) + Number(delay));
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

/**
 * Pushes many plain messages to one stream, in order. It ends at the first message that Redis refuses: the messages
 * before it are in the stream, those after it are not. Messages and ids are lines of one text each: one word per
 * message would cost more to write and to parse, on both sides, than the push itself.
 *
 * KEYS: the stream. ARGV: the least entry id to keep ("": keep all), then the lines: id and text of each message, by
 * turns. Returns the entries' ids as lines, then, if a message was refused, a line with "-" and the error.
 */
export const pushManyScript: Script = defineScript({
  name: "queue-push-many",
  keys: 1,
  lua: `local key, floor, lines = KEYS[1], ARGV[1], ARGV[2]
local call, find, sub = redis.pcall, string.find, string.sub
local ids, from = {}, 1
repeat
  local middle = find(lines, "\\n", from, true)
  local last = (find(lines, "\\n", middle + 1, true) or #lines + 1) - 1
  local message, text = sub(lines, from, middle - 1), sub(lines, middle + 1, last)
  local id
  if floor ~= "" then
    id = call("XADD", key, "MINID", "~", floor, "*", "i", message, "e", text)
    floor = ""
  else
    id = call("XADD", key, "*", "i", message, "e", text)
  end
  local isRefused = type(id) == "table"
  ids[#ids + 1] = isRefused and "-" .. id.err or id
  from = last + 2
until isRefused or from > #lines + 1
return table.concat(ids, "\\n")`,
  memory: pushMany,
});

function pushMany({ call, keys: [key = ""], args }: ScriptContext): string {
  const [floor = "", lines = ""] = args.map(String);
  const words = lines.split("\n");
  const ids: string[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const trim = floor !== "" && at === 0 ? ["MINID", "~", floor] : [];
    try {
      ids.push(String(call("XADD", key, ...trim, "*", "i", words[at] ?? "", "e", words[at + 1] ?? "")));
    } catch (error) {
      if (!isCommandError(error)) throw error;
      ids.push(`-${error.message}`);
      break;
    }
  }
  return ids.join("\n");
}

/** The messages as the script takes them. No text has more than one line: see `toMessageText`. */
export function toLines(pushes: readonly PendingPush[]): string {
  const words: string[] = [];
  for (const { id, text } of pushes) words.push(id, text);
  return words.join("\n");
}
