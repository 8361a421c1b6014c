import { CommandError, defineScript, type Script, type ScriptContext } from "@continuum-cache/core";
import { acceptsLua, decodeAccepts } from "./accepts.ts";
import type { Counter, OpenCounter, Standing } from "./counter.ts";
import { digitsLua } from "./digits.ts";

// One script decides on any number of keys: all of them are read and looked at first, then all are charged or none is.
//
// Arguments: the earliest time that it may be, in microseconds, or "" to have the server asked; by how much it may be
// later; then for each key the window in microseconds, the limit, the cost, the counter's `extra`, and what was
// accepted elsewhere (`encodeAccepts`). Reply: the time (the server's own, once that was asked), 1 if all are free,
// then for each key whether it is free by itself, current, retry at, more at, reset at, charged at (0 if it was not),
// born, looked at. A refused call writes nothing, unless there was something to merge.
//
// The server is asked for its time, which is one command more, only where the decision depends on it: when the call is
// refused at the earliest time and would not be at the latest.

const perKey = 5;

const lua = (counter: Counter): string => `${digitsLua}${acceptsLua}${counter.lua}
local function server_time()
  local time = redis.call("TIME")
  return time[1] * 1000000 + time[2]
end

local texts = {}
for index, key in ipairs(KEYS) do texts[index] = redis.call("GET", key) end

-- Returns the keys' states, whether all are free, and whether that depends on the exact time; nil if a key is not ours.
local function look_at(now, span)
  local states, are_free, may_be_free, is_unsure = {}, true, true, false
  for index, text in ipairs(texts) do
    local at = index * ${perKey} - 2
    local s = open(text or nil, now, tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 3]), span)
    if not s then return nil end
    s.cost = tonumber(ARGV[at + 2])
    s.is_merged = ARGV[at + 4] ~= "" and merge(s, accepts_of(ARGV[at + 4]))
    s.is_free, s.current, s.retry, s.more, s.reset = look(s, s.cost)
    s.charged, s.looked = 0, s.now
    are_free = are_free and s.is_free
    may_be_free = may_be_free and (s.is_free or s.retry <= now + span)
    is_unsure = is_unsure or s.is_unsure
    states[index] = s
  end
  return states, are_free, span > 0 and (is_unsure or may_be_free and not are_free)
end

local now, span = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now then now, span = server_time(), 0 end
local states, are_free, depends = look_at(now, span)
if depends then
  now = server_time()
  states, are_free = look_at(now, 0)
end
if not states then return redis.error_reply("${refusal(counter)}") end

local reply = { now, are_free and 1 or 0 }
for index, s in ipairs(states) do
  if are_free and s.cost > 0 then
    s.charged = charge(s, s.cost)
    local _
    _, s.current, _, s.more, s.reset = look(s, 0)
  end
  if s.charged > 0 or s.is_merged then redis.call("SET", KEYS[index], text_of(s), "PX", ttl_of(s)) end
  local at = #reply
  reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = s.is_free and 1 or 0, s.current, s.retry, s.more
  reply[at + 5], reply[at + 6], reply[at + 7], reply[at + 8] = s.reset, s.charged, s.born, s.looked
end
return reply
`;

// Keys: the limit's, and one that marks the receipt as used up. Arguments: the earliest time that it may be, the
// window, the limit, the counter's `extra`, when the call was charged, its cost, for how long the mark stands, in
// milliseconds, and when the key was born that charged the call, or 0 for whenever. Reply: how much was given back.

const refundLua = (counter: Counter): string => `${digitsLua}${counter.lua}
local text = redis.call("GET", KEYS[1])
if not text then return 0 end
local s = open(text, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), 0)
if not s then return redis.error_reply("${refusal(counter)}") end
if ARGV[8] ~= "0" and s.born ~= tonumber(ARGV[8]) then return 0 end
if not redis.call("SET", KEYS[2], "1", "NX", "PX", ARGV[7]) then return 0 end
local taken = give_back(s, tonumber(ARGV[5]), tonumber(ARGV[6]))
if taken > 0 then redis.call("SET", KEYS[1], text_of(s), "PX", ttl_of(s)) end
return taken
`;

/** What is said of a key that somebody else has written. */
export const refusal = ({ name }: Counter): string =>
  `ERR The key holds something that no ${name} rate limit has written: use another scope, or delete it`;

/** The scripts of a counter. */
export interface LimitScripts {
  readonly decide: Script;
  readonly refund: Script;
}

export function defineLimitScripts(counter: Counter): LimitScripts {
  return {
    decide: defineScript({
      name: `ratelimit-${counter.name}`,
      keys: "any",
      lua: lua(counter),
      memory: (context) => decide(counter, context),
    }),
    refund: defineScript({
      name: `ratelimit-${counter.name}-refund`,
      keys: 2,
      lua: refundLua(counter),
      memory: (context) => refund(counter, context),
    }),
  };
}

interface Look {
  readonly key: string;
  readonly state: OpenCounter;
  readonly cost: number;
  readonly isMerged: boolean;
  readonly before: Standing;
  readonly lookedUs: number;
}

function decide(counter: Counter, { call, keys, args }: ScriptContext): number[] {
  const word = (at: number): string => String(args[at] ?? "");
  const texts = keys.map((key) => call("GET", key));
  const lookAt = (nowUs: number, spanUs: number): readonly Look[] =>
    keys.map((key, index) => {
      const at = index * perKey + 2;
      const [windowUs = 0, limit = 0, cost = 0, extra = 0] = [0, 1, 2, 3].map((next) => Number(word(at + next)));
      const state = opened(counter, texts[index], nowUs, { windowUs, limit, extra, spanUs });
      const isMerged = word(at + 4) !== "" && state.merge(decodeAccepts(word(at + 4)));
      return { key, state, cost, isMerged, before: state.look(cost), lookedUs: state.nowUs };
    });
  const areAllFree = (looks: readonly Look[]): boolean => looks.every(({ before }) => before.isFree);

  const isAsked = word(0) === "";
  const spanUs = isAsked ? 0 : Number(word(1));
  let nowUs = isAsked ? serverTimeUs(call("TIME")) : Number(word(0));
  let looks = lookAt(nowUs, spanUs);
  if (spanUs > 0 && dependsOnTime(looks, areAllFree(looks), nowUs + spanUs)) {
    nowUs = serverTimeUs(call("TIME"));
    looks = lookAt(nowUs, 0);
  }
  const areFree = areAllFree(looks);
  const reply = [nowUs, areFree ? 1 : 0];
  for (const { key, state, cost, isMerged, before, lookedUs } of looks) {
    const chargedUs = areFree && cost > 0 ? state.charge(cost) : 0;
    if (chargedUs > 0 || isMerged) call("SET", key, state.text(), "PX", state.ttlMs());
    const { current, moreAtUs, resetAtUs } = chargedUs > 0 ? state.look(0) : before;
    const times = [before.retryAtUs, moreAtUs, resetAtUs, chargedUs, state.bornUs, lookedUs];
    reply.push(before.isFree ? 1 : 0, current, ...times);
  }
  return reply;
}

function dependsOnTime(looks: readonly Look[], areFree: boolean, latestUs: number): boolean {
  if (looks.some(({ state }) => state.isUnsure)) return true;
  return !areFree && looks.every(({ before }) => before.isFree || before.retryAtUs <= latestUs);
}

function refund(counter: Counter, { call, keys, args }: ScriptContext): number {
  const [nowUs = 0, windowUs = 0, limit = 0, extra = 0, atUs = 0, cost = 0, lifeMs = 0, bornUs = 0] = args.map(Number);
  const [key = "", mark = ""] = keys;
  const text = call("GET", key);
  if (text === null) return 0;
  const state = opened(counter, text, nowUs, { windowUs, limit, extra, spanUs: 0 });
  if (bornUs !== 0 && state.bornUs !== bornUs) return 0;
  if (call("SET", mark, "1", "NX", "PX", lifeMs) === null) return 0;
  const taken = state.giveBack(atUs, cost);
  if (taken > 0) call("SET", key, state.text(), "PX", state.ttlMs());
  return taken;
}

function opened(counter: Counter, text: unknown, nowUs: number, rule: Parameters<Counter["open"]>[2]): OpenCounter {
  const state = typeof text === "string" || text === null ? counter.open(text, nowUs, rule) : undefined;
  if (!state) throw new CommandError(refusal(counter));
  return state;
}

function serverTimeUs(reply: unknown): number {
  const [seconds, microseconds] = reply as readonly string[];
  return Number(seconds) * 1_000_000 + Number(microseconds);
}
