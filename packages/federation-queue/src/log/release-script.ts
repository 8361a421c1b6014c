import { defineScript, type Script } from "@continuum-cache/core";
import { nobody, readRegistered, writeRegistered } from "./registry.ts";
import { registryLua } from "./registry-lua.ts";
import { noId, parseId } from "./stream-id.ts";

/**
 * Gives an origin's name back, if it is this process's still.
 *
 * KEYS: the registry. ARGV: origin, random name of the process, the last id it knows. Returns 1, or 0 when it was another's.
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
    const own = parseId(known) ?? noId;
    const latest = own.seq > last.seq ? own : last;
    call("HSET", registry, origin, writeRegistered({ holder: nobody, sinceMs, untilMs: 0, last: latest }));
    return 1;
  },
});
