import { type Argument, defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { isLater, readStamped, stampLua } from "./hybrid-timestamp.ts";

/** What another instance has written. */
export interface Apply {
  readonly key: string;
  /** "drop": deletes it as part of a pattern, whose own time is remembered elsewhere. */
  readonly kind: "set" | "delete" | "drop";
  readonly at: number;
  readonly value?: Argument;
  readonly endMs?: number | undefined;
}

/**
 * Writes keys as another instance has, those only of which nothing later is known here. The second time it changes nothing.
 *
 * KEYS: of each change the key and its clock. ARGV: the origin's tie, how long clocks are kept in ms, then of each change its
 * kind (see `Apply`), its stamp, its value, and when it ends in ms since 1970 ("": never). Returns how many were applied.
 */
export const applyScript: Script = defineScript({
  name: "federation-apply",
  keys: "any",
  lua: `${stampLua}
local tie, keepMs = ARGV[1], ARGV[2]
local applied = 0
for n = 1, #KEYS / 2 do
  local key, clock = KEYS[2 * n - 1], KEYS[2 * n]
  local kind, at, value, finish = ARGV[4 * n - 1], ARGV[4 * n], ARGV[4 * n + 1], ARGV[4 * n + 2]
  local atHere, tieHere = stamped(redis.call("GET", clock))
  local isLater = tonumber(at) > atHere or (tonumber(at) == atHere and tonumber(tie) > tieHere)
  if isLater then
    if kind ~= "set" then
      redis.call("DEL", key)
    elseif finish == "" then
      redis.call("SET", key, value)
    else
      redis.call("SET", key, value, "PXAT", finish)
    end
    if kind ~= "drop" then redis.call("SET", clock, at .. " " .. tie, "PX", keepMs) end
    applied = applied + 1
  end
end
return applied`,
  memory: apply,
});

function apply({ call, keys, args }: ScriptContext): Reply {
  const [tie = "", keepMs = ""] = args.map(String);
  let applied = 0;
  for (let n = 0; 2 * n < keys.length; n++) {
    const [key = "", clock = ""] = keys.slice(2 * n);
    const [kind = "", at = "", value = "", finish = ""] = args.slice(4 * n + 2);
    if (!isLater({ at: Number(at), tie: Number(tie) }, readStamped(call("GET", clock)))) continue;
    if (kind !== "set") call("DEL", key);
    else if (finish === "") call("SET", key, value);
    else call("SET", key, value, "PXAT", finish);
    if (kind !== "drop") call("SET", clock, `${at} ${tie}`, "PX", keepMs);
    applied++;
  }
  return applied;
}
