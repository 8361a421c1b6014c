import { isCommandError, type Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeMs } from "@continuum-cache/core/kit";

/**
 * Appends messages to their channel's history and publishes each, so both have the same order. The id of an entry is
 * the message's position: the epoch, and a number that Redis counts up by one. It takes two commands a message while
 * the publisher knows the epoch.
 *
 * If the history is gone, a new epoch begins. If its epoch is later than the known one, or a subscriber has begun it
 * (see `beginScript`), the script goes on with it. Behind an entry that is no message a new epoch begins. `upkeep` is
 * asked for now and then: it renews the key's time to live and trims what is too old, except the last entry, which
 * keeps the count. The messages before a foreign entry stay until then.
 *
 * KEYS: the history. ARGV: channel, known epoch (0: none), least count, upkeep (0 or 1), age in ms, time to live in ms,
 * the publisher's estimate of the server's time in ms (0: none), the last number that the publisher was given in this
 * epoch (-1: none), then tag and text of each message. A number that is not above the last one means that the server
 * has lost the end of the history: then a new epoch begins. Returns the server's time in ms if it was asked (else 0),
 * then for each message its id and how many received it. A message that Redis refuses to store ends the list with "-"
 * and the reason; the messages before it are published.
 */
export const appendScript: Script = defineScript({
  name: "append-and-publish",
  keys: 1,
  lua: `
local key, channel, epoch, count, upkeep = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == "1"
local age, ttl, now = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local asked = 0
local function time()
  if asked == 0 then
    local t = redis.call("TIME")
    asked = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  end
  return asked
end
local function first(command, from, to)
  return redis.call(command, key, from, to, "COUNT", 1)[1]
end
local function epochOf(id)
  return string.match(id, "^%d+")
end
local function seqOf(id)
  return tonumber(string.match(id, "%d+$"))
end
if now == "0" or upkeep then now = string.format("%.0f", time()) end
local function append(at)
  return redis.pcall("XADD", key, "MAXLEN", "~", count, epoch .. "-*", "t", now, "n", ARGV[at], "d", ARGV[at + 1])
end
local id = false
local function begin(least)
  epoch = string.format("%.0f", math.max(least, tonumber(epoch) + 1))
end
if epoch ~= "0" then
  id = redis.pcall("XADD", key, "NOMKSTREAM", "MAXLEN", "~", count, epoch .. "-*", "t", now, "n", ARGV[9], "d", ARGV[10])
end
if type(id) == "string" and seqOf(id) <= tonumber(ARGV[8]) then
  redis.call("XDEL", key, id)
  begin(time())
  upkeep = true
  id = append(9)
end
if not id or type(id) == "table" then
  local last = first("XREVRANGE", "+", "-")
  local kind = last and last[2][1] or "b"
  if kind == "t" and last[2][3] == "n" and tonumber(last[2][2]) then
    if type(id) == "table" and epochOf(last[1]) == epoch then return id end
    epoch = epochOf(last[1])
  else
    if last then epoch = epochOf(last[1]) end
    begin(last and kind == "b" and 0 or time())
    if kind == "b" then upkeep = true end
  end
  id = append(9)
  if type(id) == "table" then return id end
end
if upkeep then
  redis.call("PEXPIRE", key, ttl)
  local oldest = first("XRANGE", "-", "+")[1]
  if epochOf(oldest) ~= epoch then
    redis.call("XTRIM", key, "MINID", epoch .. "-0")
    oldest = first("XRANGE", "-", "+")[1]
  end
  local low, high = seqOf(oldest), seqOf(id)
  local cut = time() - age
  while low < high do
    local middle = math.floor((low + high) / 2)
    local at = string.format("%s-%.0f", epoch, middle)
    local entry = first("XRANGE", at, at)
    if entry and (tonumber(entry[2][2]) or 0) >= cut then high = middle else low = middle + 1 end
  end
  if low > seqOf(oldest) then redis.call("XTRIM", key, "MINID", string.format("%s-%.0f", epoch, low)) end
end
local answer = {asked}
for at = 9, #ARGV, 2 do
  if at > 9 then id = append(at) end
  if type(id) == "table" then
    answer[#answer + 1] = "-" .. id.err
    break
  end
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call("PUBLISH", channel, "~" .. id .. ":" .. ARGV[at] .. ":" .. ARGV[at + 1])
end
return answer`,
  memory: append,
});

type Entry = readonly [id: string, fields: readonly string[]];

function append({ call, keys: [key = ""], args }: ScriptContext): Reply {
  const [channel = "", knownEpoch = "0", count = "", upkeepFlag, age, ttl = "", estimate = "0", lastSeq, ...messages] =
    args.map(String);
  let epoch = knownEpoch;
  let upkeep = upkeepFlag === "1";
  let asked = 0;
  const time = (): number => {
    if (asked === 0) asked = serverTimeMs(call("TIME"));
    return asked;
  };
  const first = (command: string, from: string, to: string): Entry | undefined =>
    (call(command, key, from, to, "COUNT", 1) as readonly Entry[])[0];
  const now = estimate === "0" || upkeep ? String(time()) : estimate;
  const add = (at: number, ...words: readonly string[]): Reply => {
    const fields = ["t", now, "n", messages[at] ?? "", "d", messages[at + 1] ?? ""];
    return call("XADD", key, ...words, "MAXLEN", "~", count, `${epoch}-*`, ...fields);
  };

  const begin = (leastMs: number): void => {
    epoch = String(Math.max(leastMs, Number(epoch) + 1));
  };

  let id: Reply = null;
  let refusal: unknown;
  if (epoch !== "0") {
    try {
      id = add(0, "NOMKSTREAM");
    } catch (error) {
      if (!isCommandError(error)) throw error;
      refusal = error;
    }
  }
  if (id === null) {
    const last = first("XREVRANGE", "+", "-");
    const [kind = "b", at, third] = last?.[1] ?? [];
    if (last && kind === "t" && third === "n" && Number.isFinite(Number(at))) {
      if (refusal && epochOf(last[0]) === epoch) throw refusal;
      epoch = epochOf(last[0]);
    } else {
      if (last) epoch = epochOf(last[0]);
      begin(last && kind === "b" ? 0 : time());
      if (kind === "b") upkeep = true;
    }
    id = add(0);
  } else if (seqOf(String(id)) <= Number(lastSeq)) {
    call("XDEL", key, String(id));
    begin(time());
    upkeep = true;
    id = add(0);
  }
  if (upkeep) {
    call("PEXPIRE", key, ttl);
    trim(String(id), Number(age));
  }
  const answer: Reply[] = [asked];
  for (let at = 0; at + 1 < messages.length; at += 2) {
    try {
      if (at > 0) id = add(at);
    } catch (error) {
      if (!isCommandError(error)) throw error;
      answer.push(`-${error.message}`);
      break;
    }
    answer.push(id, call("PUBLISH", channel, `~${String(id)}:${messages[at]}:${messages[at + 1]}`));
  }
  return answer;

  function trim(newest: string, ageMs: number): void {
    let oldest = first("XRANGE", "-", "+")?.[0] ?? newest;
    if (epochOf(oldest) !== epoch) {
      call("XTRIM", key, "MINID", `${epoch}-0`);
      oldest = first("XRANGE", "-", "+")?.[0] ?? newest;
    }
    let [low, high] = [seqOf(oldest), seqOf(newest)];
    const cutMs = time() - ageMs;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const entry = first("XRANGE", `${epoch}-${middle}`, `${epoch}-${middle}`);
      if (entry && Number(entry[1][1]) >= cutMs) high = middle;
      else low = middle + 1;
    }
    if (low > seqOf(oldest)) call("XTRIM", key, "MINID", `${epoch}-${low}`);
  }
}

const epochOf = (id: string): string => id.slice(0, id.indexOf("-"));
const seqOf = (id: string): number => Number(id.slice(id.indexOf("-") + 1));
