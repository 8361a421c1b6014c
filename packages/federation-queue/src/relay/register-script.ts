import { defineScript, type Script } from "@continuum-cache/core";
import { noHolder, readRegistered, registryLua, writeRegistered } from "../log/registry.ts";
import { laterOf, noId, parseId } from "../log/stream.ts";

/**
 * Registers an origin at the destination without taking its name. Readers there find it, and look at its stream again
 * after its name was taken anew at the source, or after the end of its stream was lost there.
 *
 * KEYS: the registry. ARGV: origin, since when its name is held at the source, the last id that the source knows.
 * Returns 1, or 0 when a process at the destination holds the name, or held it later.
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
    if (here.holder !== noHolder || here.sinceMs > sinceMs) return 0;
    const there = parseId(known) ?? noId;
    const last = laterOf(there, here.last);
    call("HSET", registry, origin, writeRegistered({ holder: noHolder, sinceMs, untilMs: 0, last }));
    return 1;
  },
});
