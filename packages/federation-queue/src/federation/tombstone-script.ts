import { defineScript, type Script } from "@continuum-cache/core";
import { isLater, readStamped, stampLua } from "./hybrid-timestamp.ts";

/**
 * Remembers when a pattern was deleted last.
 *
 * KEYS: the hash of patterns. ARGV: the pattern, its stamp, the tie of its origin, how long it is kept in ms. Returns 1, or 0
 * when a later one is known.
 */
export const markScript: Script = defineScript({
  name: "federation-mark",
  keys: 1,
  lua: `${stampLua}
local marks, glob, at, tie, keepMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local atHere, tieHere = stamped(redis.call("HGET", marks, glob))
local isLater = tonumber(at) > atHere or (tonumber(at) == atHere and tonumber(tie) > tieHere)
if not isLater then return 0 end
redis.call("HSET", marks, glob, at .. " " .. tie)
redis.call("PEXPIRE", marks, keepMs)
return 1`,
  memory: ({ call, keys: [marks = ""], args }) => {
    const [glob = "", at = "", tie = "", keepMs = ""] = args.map(String);
    if (!isLater({ at: Number(at), tie: Number(tie) }, readStamped(call("HGET", marks, glob)))) return 0;
    call("HSET", marks, glob, `${at} ${tie}`);
    call("PEXPIRE", marks, keepMs);
    return 1;
  },
});
