import { isCommandError, type Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, sha1 } from "@continuum-cache/core/kit";
import { absent } from "../journal/expected-states.ts";

/**
 * Sets keys, each only if it is in a state that the caller names, or holds the value already; otherwise another
 * process has written it. For each key: ARGV value, expiry ("" for none, "KEEPTTL", or milliseconds since 1970),
 * number of states, states (`absent`, or SHA-1 of the value). Returns for each key 1 (set), 0 (left alone), or Redis'
 * error message.
 */
export const setUnlessWritten: Script = defineScript({
  name: "continuum-cache:set-unless-written",
  keys: "any",
  lua: `
local outcomes = {}
local at = 1
for index, key in ipairs(KEYS) do
  local value, ending, states = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local present = redis.pcall("GET", key)
  local isOurs = present == value
  if not isOurs and type(present) ~= "table" then
    local state = present and redis.sha1hex(present) or "absent"
    for word = at + 3, at + 2 + states do isOurs = isOurs or ARGV[word] == state end
  end
  outcomes[index] = 0
  if isOurs then
    local reply
    if ending == "" then reply = redis.pcall("SET", key, value)
    elseif ending == "KEEPTTL" then reply = redis.pcall("SET", key, value, "KEEPTTL")
    else reply = redis.pcall("SET", key, value, "PXAT", ending) end
    outcomes[index] = type(reply) == "table" and reply.err or 1
  end
  at = at + 3 + states
end
return outcomes`,
  memory({ call, keys, args }) {
    let at = 0;
    return keys.map((key) => {
      const [value = "", ending = "", count] = args.slice(at, at + 3);
      const states = args.slice(at + 3, at + 3 + Number(count));
      at += 3 + states.length;
      return setOne(call, key, value, String(ending), states.map(String));
    });
  },
});

function setOne(
  call: ScriptContext["call"],
  key: string,
  value: string | Uint8Array,
  ending: string,
  states: readonly string[],
): Reply {
  try {
    const present = call("GET", key) as string | Uint8Array | null;
    const state = present === null ? absent : sha1(present);
    if (!states.includes(state) && state !== sha1(value)) return 0;
    const end = ending === "" ? [] : ending === "KEEPTTL" ? ["KEEPTTL"] : ["PXAT", ending];
    call("SET", key, value, ...end);
    return 1;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    // A key of another type was written by another process.
    return error.code === "WRONGTYPE" ? 0 : error.message;
  }
}
