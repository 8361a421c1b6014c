import { type Argument, defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { isLater, readTimestamp, timestampLua, writeTimestamp } from "./hybrid-timestamp.ts";

/** A write of another instance. */
export interface Apply {
  readonly key: string;
  /** "drop": deletes the key as part of a pattern, whose own time is remembered as a tombstone. */
  readonly kind: "set" | "delete" | "drop";
  readonly at: number;
  readonly value?: Argument;
  readonly endMs?: number | undefined;
}

/**
 * Repeats the writes of another instance, except for keys of which a later write is known here. Running it twice has
 * the effect of running it once.
 *
 * KEYS: of each change the key and its clock. ARGV: the origin's tiebreaker, how long to keep clocks in ms, then of
 * each change its kind (see `Apply`), its timestamp, its value, and its expiry in ms since 1970 ("": never). Returns
 * how many were applied.
 */
export const applyScript: Script = defineScript({
  name: "federation-apply",
  keys: "any",
  lua: `${timestampLua}
local tiebreaker, keepMs = ARGV[1], ARGV[2]
local applied = 0
for n = 1, #KEYS / 2 do
  local key, clock = KEYS[2 * n - 1], KEYS[2 * n]
  local kind, at, value, finish = ARGV[4 * n - 1], ARGV[4 * n], ARGV[4 * n + 1], ARGV[4 * n + 2]
  if isLater(at, tiebreaker, redis.call("GET", clock)) then
    if kind ~= "set" then
      redis.call("DEL", key)
    elseif finish == "" then
      redis.call("SET", key, value)
    else
      redis.call("SET", key, value, "PXAT", finish)
    end
    if kind ~= "drop" then redis.call("SET", clock, at .. " " .. tiebreaker, "PX", keepMs) end
    applied = applied + 1
  end
end
return applied`,
  memory: apply,
});

function apply({ call, keys, args }: ScriptContext): Reply {
  const [tiebreaker = "", keepMs = ""] = args.map(String);
  let applied = 0;
  for (let n = 0; 2 * n < keys.length; n++) {
    const [key = "", clock = ""] = keys.slice(2 * n);
    const [kind = "", at = "", value = "", finish = ""] = args.slice(4 * n + 2);
    const timestamp = { at: Number(at), tiebreaker: Number(tiebreaker) };
    if (!isLater(timestamp, readTimestamp(call("GET", clock)))) continue;
    if (kind !== "set") call("DEL", key);
    else if (finish === "") call("SET", key, value);
    else call("SET", key, value, "PXAT", finish);
    if (kind !== "drop") call("SET", clock, writeTimestamp(timestamp), "PX", keepMs);
    applied++;
  }
  return applied;
}
