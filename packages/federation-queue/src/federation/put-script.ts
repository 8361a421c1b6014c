import { type Argument, defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { serverTimeMs } from "@continuum-cache/core/kit";
import { readTimestamp, ticksPerMs, timestampLua } from "./hybrid-timestamp.ts";

/** A write of this instance. */
export interface Put {
  readonly key: string;
  /** "keep": sets the value, and leaves the key's expiry. */
  readonly kind: "set" | "keep" | "delete";
  readonly value?: Argument;
  readonly ttlMs?: number | undefined;
}

/**
 * Writes keys with timestamps by the server's clock, each later than all that this instance has observed and than the
 * key's last write here.
 *
 * KEYS: of each change the key and its clock. ARGV: the origin's tiebreaker, how long to keep clocks in ms, the latest
 * observed timestamp, then of each change its kind (see `Put`), its value, and its time to live in ms ("": forever).
 * Returns the server's time in ms, and of each change its timestamp, and its expiry in ms since 1970 ("": never).
 */
export const putScript: Script = defineScript({
  name: "federation-put",
  keys: "any",
  lua: `${timestampLua}
local tiebreaker, keepMs, latest = ARGV[1], ARGV[2], tonumber(ARGV[3])
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local answer = {whole(now)}
for n = 1, #KEYS / 2 do
  local key, clock = KEYS[2 * n - 1], KEYS[2 * n]
  local kind, value, ttl = ARGV[3 * n + 1], ARGV[3 * n + 2], ARGV[3 * n + 3]
  local at = math.max(now * ${ticksPerMs}, latest + 1, timestamp(redis.call("GET", clock)) + 1)
  local finish = ""
  if kind == "delete" then
    redis.call("DEL", key)
  elseif kind == "keep" then
    redis.call("SET", key, value, "KEEPTTL")
    local left = redis.call("PTTL", key)
    if left >= 0 then finish = whole(now + left) end
  elseif ttl == "" then
    redis.call("SET", key, value)
  else
    redis.call("SET", key, value, "PX", ttl)
    finish = whole(now + tonumber(ttl))
  end
  redis.call("SET", clock, whole(at) .. " " .. tiebreaker, "PX", keepMs)
  answer[2 * n] = whole(at)
  answer[2 * n + 1] = finish
end
return answer`,
  memory: put,
});

function put({ call, keys, args }: ScriptContext): Reply {
  const [tiebreaker = "", keepMs = "", latest = ""] = args.map(String);
  const now = serverTimeMs(call("TIME"));
  const answer = [String(now)];
  for (let n = 0; 2 * n < keys.length; n++) {
    const [key = "", clock = ""] = keys.slice(2 * n);
    const [kind = "", value = "", ttl = ""] = args.slice(3 * n + 3);
    const at = Math.max(now * ticksPerMs, Number(latest) + 1, readTimestamp(call("GET", clock)).at + 1);
    let finish = "";
    if (kind === "delete") {
      call("DEL", key);
    } else if (kind === "keep") {
      call("SET", key, value, "KEEPTTL");
      const left = Number(call("PTTL", key));
      if (left >= 0) finish = String(now + left);
    } else if (ttl === "") {
      call("SET", key, value);
    } else {
      call("SET", key, value, "PX", ttl);
      finish = String(now + Number(ttl));
    }
    call("SET", clock, `${at} ${tiebreaker}`, "PX", keepMs);
    answer.push(String(at), finish);
  }
  return answer;
}

/** The server's time, and of each change its timestamp and expiry. */
export interface PutAnswer {
  readonly nowMs: number;
  readonly changes: readonly { readonly at: number; readonly endMs: number | undefined }[];
}

export function readPutAnswer(reply: Reply): PutAnswer {
  const [now, ...words] = (reply as readonly Reply[]).map(String);
  const changes: { at: number; endMs: number | undefined }[] = [];
  for (let n = 0; n + 1 < words.length; n += 2) {
    const end = words[n + 1] ?? "";
    changes.push({ at: Number(words[n]), endMs: end === "" ? undefined : Number(end) });
  }
  return { nowMs: Number(now), changes };
}
