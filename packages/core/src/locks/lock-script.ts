import type { Reply } from "../ports/transport.ts";
import { knownScript } from "../scripts/known-scripts.ts";
import type { Script } from "../scripts/script.ts";
import { serverTimeLua, serverTimeMs } from "../scripts/server-time.ts";

/**
 * How long a key outlives its last holder, in milliseconds: it holds the last token, so that tokens grow even when the
 * clock of the server is set back. Beyond that the clock alone makes them grow.
 */
const keptMs = 86_400_000;

/**
 * Takes, renews or ends a permit. The key holds the last token, then a line for each holder: its name, when its lease
 * ends by the clock of the server, and its token. A lease that has ended counts as nothing. A token is at least the
 * time in milliseconds, so that tokens grow also after the server has lost the key.
 *
 * ARGV: `take`, `renew` or `end`; the holder's name; the lease in milliseconds; the limit of holders. Returns the
 * holder's token, 0 when it holds none, and the milliseconds until the first of the others ends.
 */
export const lockScript: Script = knownScript({
  name: "continuum-cache:lock",
  keys: 1,
  // It is sent by its text, so that an application without other scripts need not carry a hash function.
  sha1: "",
  lua: `${serverTimeLua}
local action, name, lease, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = serverMs()
local stored = redis.call("GET", KEYS[1]) or "0"
local last = tonumber(string.match(stored, "^%d+")) or 0
local others, count, token, first, latest = "", 0, 0, 0, now
for holder, ends, own in string.gmatch(stored, "\\n(%S+) (%d+) (%d+)") do
  local ending = tonumber(ends)
  if ending > now then
    if holder == name then
      token = tonumber(own)
    else
      others = others .. "\\n" .. holder .. " " .. ends .. " " .. own
      count = count + 1
      if first == 0 or ending < first then first = ending end
      if ending > latest then latest = ending end
    end
  end
end
local wait = 0
if first > 0 then wait = first - now end
if action == "take" and token == 0 and count < limit then
  token = math.max(last + 1, now)
  last = token
elseif token == 0 then
  return { 0, wait }
end
local text = whole(last) .. others
if action ~= "end" then
  text = text .. "\\n" .. name .. " " .. whole(now + lease) .. " " .. whole(token)
  if now + lease > latest then latest = now + lease end
end
redis.call("SET", KEYS[1], text, "PX", whole(latest - now + ${keptMs}))
return { token, wait }`,
  memory({ call, keys: [key = ""], args }) {
    const [action, name = "", lease, limit] = args.map(String);
    const nowMs = serverTimeMs(call("TIME"));
    const [lastText = "0", ...lines] = String(call("GET", key) ?? "0").split("\n");
    const holders = lines.map((line) => line.split(" ")).filter(([, ends]) => Number(ends) > nowMs);
    const others = holders.filter(([holder]) => holder !== name);
    const ends = others.map(([, ending]) => Number(ending));
    const waitMs = ends.length > 0 ? Math.min(...ends) - nowMs : 0;
    let last = Number(lastText);
    let token = Number(holders.find(([holder]) => holder === name)?.[2] ?? 0);
    if (action === "take" && token === 0 && others.length < Number(limit)) {
      token = Math.max(last + 1, nowMs);
      last = token;
    } else if (token === 0) {
      return [0, waitMs];
    }
    const endsMs = nowMs + Number(lease);
    const kept = others.map((parts) => parts.join(" "));
    const own = action === "end" ? [] : [`${name} ${endsMs} ${token}`];
    const latestMs = Math.max(nowMs, ...ends, ...(action === "end" ? [] : [endsMs]));
    call("SET", key, [String(last), ...kept, ...own].join("\n"), "PX", latestMs - nowMs + keptMs);
    return [token, waitMs];
  },
});

/** What the script answers. */
export interface LockAnswer {
  /** 0 when the holder has none. */
  readonly token: number;
  /** How long until another holder's lease ends; 0 when there is none. */
  readonly waitMs: number;
}

export function readLockAnswer(reply: Reply): LockAnswer {
  const [token, waitMs] = reply as readonly [number, number];
  return { token: Number(token), waitMs: Number(waitMs) };
}
