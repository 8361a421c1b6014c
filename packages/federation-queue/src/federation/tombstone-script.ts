import { defineScript, type Script } from "@continuum-cache/core";
import { isLater, readTimestamp, timestampLua, writeTimestamp } from "./hybrid-timestamp.ts";

/**
 * Remembers when a pattern was deleted last.
 *
 * KEYS: the hash of tombstones. ARGV: the pattern, its timestamp, the tiebreaker of its origin, how long to keep it in
 * ms. Returns 1, or 0 when a later one is known.
 */
export const tombstoneScript: Script = defineScript({
  name: "federation-tombstone",
  keys: 1,
  lua: `${timestampLua}
local tombstones, glob, at, tiebreaker, keepMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not isLater(at, tiebreaker, redis.call("HGET", tombstones, glob)) then return 0 end
redis.call("HSET", tombstones, glob, at .. " " .. tiebreaker)
redis.call("PEXPIRE", tombstones, keepMs)
return 1`,
  memory: ({ call, keys: [tombstones = ""], args }) => {
    const [glob = "", at, tiebreaker, keepMs = ""] = args.map(String);
    const timestamp = { at: Number(at), tiebreaker: Number(tiebreaker) };
    if (!isLater(timestamp, readTimestamp(call("HGET", tombstones, glob)))) return 0;
    call("HSET", tombstones, glob, writeTimestamp(timestamp));
    call("PEXPIRE", tombstones, keepMs);
    return 1;
  },
});
