import { acceptsLua } from "./accepts.ts";
import type { Counter } from "./counter.ts";
import { digitsLua } from "./digits.ts";

/** What is said of a key that somebody else has written. */
export const refusal = ({ name }: Counter): string =>
  `ERR The key holds something that no ${name} rate limit has written: use another scope, or delete it`;

/**
 * One key at a time is looked at. What is known of it stands in local variables, which Lua reads several times as fast as the
 * fields of a table.
 */
const keyLua = `
local key, window, limit, cost, extra
local asked, span
local stored, born, now, is_unsure
`;

/** Reads the key as a whole: `stored` is its text, or false. Returns what is wrong with the key. */
const readAllLua = `
local function read_all()
  local text = redis.pcall("GET", key)
  if type(text) == "table" then return text.err end
  stored = text
end
`;

/** What every script of a limit begins with. */
const beginning = (counter: Counter): string => `${digitsLua}${keyLua}${readAllLua}${counter.lua}`;

/** The time of the batch; `begun` is what it was at first. */
const timeLua = `
local function server_time()
  local time = redis.call("TIME")
  return time[1] * 1000000 + time[2]
end

local lines, decided, estimated = { "" }, 0, nil
asked, span = tonumber(ARGV[1]), tonumber(ARGV[2])
if not asked then asked, span, estimated = server_time(), 0, 0 end
local begun = asked
`;

/** `turn_to` makes a key of the call the one that is looked at. `read_call` reads all of them, and returns what is wrong with one. */
const readCallLua = `
local rules, texts, width, keys_before, accepts = {}, {}, 0, 0, ""

local function follow(rule)
  window, limit, cost, extra, accepts = rule[1], rule[2], rule[3], rule[4], rule[5]
  prepare()
end

local function turn_to(index)
  if width > 1 then follow(rules[index]) end
  key, stored = KEYS[keys_before + index], texts[index]
end

local function read_call()
  local failure
  for index = 1, width do
    turn_to(index)
    failure = failure or read()
    texts[index] = stored
  end
  return failure
end
`;

/**
 * Looks at the keys of the call. Returns whether all are free, and whether that depends on the exact time; nil where the
 * counter has not written one of them.
 */
const lookLua = `
local is_merged, is_free, current, retry, more, reset

local function look_at_key()
  if not open() then return false end
  is_merged = accepts ~= "" and merge(accepts_of(accepts))
  is_free, current, retry, more, reset = look(cost)
  return true
end

local function look_at_call()
  local are_free, may_be_free, are_unsure, latest = true, true, false, asked + span
  for index = 1, width do
    if width > 1 then turn_to(index) end
    if not look_at_key() then return nil end
    texts[index] = stored
    are_free = are_free and is_free
    may_be_free = may_be_free and (is_free or retry <= latest)
    are_unsure = are_unsure or is_unsure
  end
  return are_free, span > 0 and (are_unsure or may_be_free and not are_free)
end
`;

/** Charges the key if all of the call were free. Returns what is said of it. */
const settleLua = `
local function settle(are_free)
  local looked, charged, state = now, 0, is_free and "1" or "0"
  if are_free and cost > 0 then
    charged, state = charge(cost), "2"
    local _
    _, current, _, more, reset = look(0)
  end
  if charged > 0 or is_merged then write() end
  return state .. born .. " " .. decimal[current] .. " " .. decimal[looked - begun]
    .. " " .. decimal[retry > 0 and retry - begun or 0] .. " " .. decimal[more > 0 and more - begun or 0]
    .. " " .. decimal[reset > 0 and reset - begun or 0] .. " " .. decimal[charged > 0 and charged - begun or 0]
end
`;

/** Decides on the next call, and then on all. */
const batchLua = (counter: Counter): string => `
local function decide()
  local failure = read_call()
  if failure then return failure end
  local are_free, depends = look_at_call()
  if depends then
    asked, span, estimated = server_time(), 0, decided
    are_free = look_at_call()
  end
  if are_free == nil then return "${refusal(counter)}" end
  if width == 1 then return settle(are_free) end
  local said = {}
  for index = 1, width do
    turn_to(index)
    look_at_key()
    said[index] = settle(are_free)
  end
  return table.concat(said, " ")
end

local at = 3
while keys_before < #KEYS do
  local calls = tonumber(ARGV[at])
  width = tonumber(ARGV[at + 1])
  at = at + 2
  for index = 1, width do
    rules[index] = {
      tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 4],
    }
    at = at + 5
  end
  if width == 1 then follow(rules[1]) end
  for _ = 1, calls do
    lines[decided + 2] = decide()
    decided, keys_before = decided + 1, keys_before + width
  end
end
lines[1] = format("%d %d %d", begun, asked, estimated or decided)
return table.concat(lines, "\\n")
`;

/**
 * Decides on the calls of one batch, one after another. Each is under one limit or several, each of which is a key: all of
 * them are looked at, then all are charged or none is. A refused call writes nothing, unless there was something to merge.
 *
 * KEYS: the keys of the first call, then those of the second, …
 * ARGV: the earliest time that it may be, in microseconds, or "" to have the server asked; by how much it may be later. Then
 * for each group of calls with the same numbers: how many calls, how many keys each has, and for each of these the window
 * in microseconds, the limit, the cost, the counter's \`extra\`, and what was accepted elsewhere (\`encodeAccepts\`).
 *
 * Returns lines. The first: the time at first and at last (the server's own, once that was asked), and how many calls were
 * decided before it was asked. Then one for each call. It says of each key: whether it is free by itself (1) and was charged
 * (2), followed by when it was born, as text; then current, and when it looked, retry, more, reset and charge at, each as the
 * time since the first; 0 where there is none. Or an error, where a key can't be used: it is that call's alone.
 *
 * The server is asked for its time, which is one command more, only where a decision depends on it: when the call is
 * refused at the earliest time and would not be at the latest.
 */
export const decideLua = (counter: Counter): string =>
  [beginning(counter), acceptsLua, timeLua, readCallLua, lookLua, settleLua, batchLua(counter)].join("");

/**
 * Gives back what a call has taken, once.
 *
 * KEYS: the limit's, and one that marks the receipt as used up.
 * ARGV: the earliest time that it may be, the window, the limit, the counter's `extra`, when the call was charged, its cost,
 * for how long the mark stands, in milliseconds, and when the key was born that charged the call, or 0 for whenever.
 *
 * Returns how much was given back.
 */
export const refundLua = (counter: Counter): string => `${beginning(counter)}
key, asked, span = KEYS[1], tonumber(ARGV[1]), 0
window, limit, extra = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
prepare()
local failure = read_all()
if failure then return redis.error_reply(failure) end
if not stored then return 0 end
if not open() then return redis.error_reply("${refusal(counter)}") end
if ARGV[8] ~= "0" and born ~= time_text[tonumber(ARGV[8])] then return 0 end
if not call("SET", KEYS[2], "1", "NX", "PX", ARGV[7]) then return 0 end
local taken = give_back(tonumber(ARGV[5]), tonumber(ARGV[6]))
if taken > 0 then write() end
return taken
`;
