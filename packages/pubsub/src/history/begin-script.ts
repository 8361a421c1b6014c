import type { Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeMs } from "@continuum-cache/core/kit";

/**
 * Begins the history of a channel with subscribers, where there is none. A subscriber that has read nothing yet can
 * then tell later that this is still the same history; without it, a break before the first message would leave open
 * whether there had been others. Its first entry is no message: its only field is `b`, and its id is one millisecond
 * before the epoch, so the first message is `epoch-0` as always.
 *
 * An existing history lives for at least `ttl` longer. If its last message is past its age, only that one stays.
 *
 * KEYS: the history. ARGV: time to live in ms, age in ms.
 * Returns the last entry.
 */
export const beginScript: Script = defineScript({
  name: "begin-history",
  keys: 1,
  lua: `
local key, ttl, age = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local function newest()
  return redis.call("XREVRANGE", key, "+", "-", "COUNT", 1)[1]
end
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local last = newest()
if not last then
  redis.call("XADD", key, string.format("%.0f-0", now - 1), "b", "1")
  last = newest()
elseif last[2][1] == "t" and (tonumber(last[2][2]) or now) < now - age then
  redis.call("XTRIM", key, "MAXLEN", 1)
end
if redis.call("PTTL", key) < ttl then redis.call("PEXPIRE", key, ttl) end
return last`,
  memory: begin,
});

type Row = readonly [id: string, fields: readonly string[]];

function begin({ call, keys: [key = ""], args }: ScriptContext): Reply {
  const [ttlMs, ageMs] = args.map(Number) as [number, number];
  const newest = (): Row | undefined => (call("XREVRANGE", key, "+", "-", "COUNT", 1) as readonly Row[])[0];
  const nowMs = serverTimeMs(call("TIME"));
  let last = newest();
  if (!last) {
    call("XADD", key, `${nowMs - 1}-0`, "b", "1");
    last = newest();
  } else {
    const [name, time] = last[1];
    if (name === "t" && Number(time) < nowMs - ageMs) call("XTRIM", key, "MAXLEN", 1);
  }
  if ((call("PTTL", key) as number) < ttlMs) call("PEXPIRE", key, ttlMs);
  return last ?? null;
}
