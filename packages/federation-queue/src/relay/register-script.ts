import { defineScript, type Script } from "@continuum-cache/core";
import { nobody, readRegistered, registryLua, writeRegistered } from "../log/registry.ts";
import { noId, parseId } from "../log/stream.ts";

/**
 * Makes an origin known where its stream is brought, without taking its name: readers find it, and look at its stream again
 * when it was taken anew at the source, or its end was lost there.
 *
 * KEYS: the registry. ARGV: origin, since when it is held at the source, the last id that is known of it. Returns 1, or 0 when
 * a process here has the name, or had it later.
 */
export const registerScript: Script = defineScript({
  name: "relay-register",
  keys: 1,
  lua: `${registryLua}
local registry, origin, since, last = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local holder, sinceHere, _, lastHere = registered(redis.call("HGET", registry, origin))
if holder ~= "-" or sinceHere > since then return 0 end
local function seq(id) return tonumber(string.match(id, "%-(%d+)$")) end
if seq(lastHere) > seq(last) then last = lastHere end
redis.call("HSET", registry, origin, table.concat({"-", whole(since), "0", last}, " "))
return 1`,
  memory: ({ call, keys: [registry = ""], args }) => {
    const [origin = "", since = "", known = ""] = args.map(String);
    const here = readRegistered(call("HGET", registry, origin));
    const sinceMs = Number(since);
    if (here.holder !== nobody || here.sinceMs > sinceMs) return 0;
    const there = parseId(known) ?? noId;
    const last = here.last.seq > there.seq ? here.last : there;
    call("HSET", registry, origin, writeRegistered({ holder: nobody, sinceMs, untilMs: 0, last }));
    return 1;
  },
});
