import { acceptsLua } from "./accepts.ts";
import type { Counter } from "./counter.ts";
import { digitsLua } from "./digits.ts";

/** What is said of a key that somebody else has written. */
export const refusal = ({ name }: Counter): string =>
  `ERR The key holds something that no ${name} rate limit has written: use another scope, or delete it`;

/** Reads a key as a whole: `s.stored` is its text, or false. Returns what is wrong with the key. */
const readAllLua = `
local function read_all(s)
  local text = redis.pcall("GET", s.key)
  if type(text) == "table" then return text.err end
  s.stored = text
end
`;

/** What every script of a limit begins with. */
const beginning = (counter: Counter): string => `${digitsLua}${readAllLua}${counter.lua}`;

/** The time of the batch; `begun` is what it was at first. */
const timeLua = `
local function server_time()
  local time = redis.call("TIME")
  return time[1] * 1000000 + time[2]
end

local now, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local lines, decided, estimated = { "" }, 0, nil
if not now then now, span, estimated = server_time(), 0, 0 end
local begun = now
`;

/** Reads the keys of the next call. Returns what is wrong with one of them. */
const readCallLua = `
local states, width, keys_read = {}, 0, 0

local function read_call()
  local failure
  for index = 1, width do
    keys_read = keys_read + 1
    states[index].key = KEYS[keys_read]
    failure = failure or read(states[index])
  end
  return failure
end
`;

/**
 * Looks at the keys of the call. Returns whether all are free, and whether that depends on the exact time; nil where the
 * counter has not written one of them.
 */
const lookLua = `
local function look_at(now, span)
  local are_free, may_be_free, is_unsure = true, true, false
  for index = 1, width do
    local s = states[index]
    if not open(s, now, span) then return nil end
    s.is_merged = s.accepts ~= "" and merge(s, accepts_of(s.accepts))
    s.is_free, s.current, s.retry, s.more, s.reset = look(s, s.cost)
    s.looked, s.charged = s.now, 0
    are_free = are_free and s.is_free
    may_be_free = may_be_free and (s.is_free or s.retry <= now + span)
    is_unsure = is_unsure or s.is_unsure
  end
  return are_free, span > 0 and (is_unsure or may_be_free and not are_free)
end
`;

/** Charges a key of the call if all were free. Returns what is said of it. */
const settleLua = `
local function settle(s, are_free)
  if are_free and s.cost > 0 then
    s.charged = charge(s, s.cost)
    local _
    _, s.current, _, s.more, s.reset = look(s, 0)
  end
  if s.charged > 0 or s.is_merged then write(s) end
  local state = s.charged > 0 and "2" or s.is_free and "1" or "0"
  return state .. s.born .. " " .. decimal[s.current] .. " " .. decimal[s.looked - begun]
    .. " " .. decimal[s.retry > 0 and s.retry - begun or 0] .. " " .. decimal[s.more > 0 and s.more - begun or 0]
    .. " " .. decimal[s.reset > 0 and s.reset - begun or 0] .. " " .. decimal[s.charged > 0 and s.charged - begun or 0]
end

`;

/** Decides on the next call, and then on all. */
const batchLua = (counter: Counter): string => `
local function decide()
  local failure = read_call()
  if failure then return failure end
  local are_free, depends = look_at(now, span)
  if depends then
    now, span, estimated = server_time(), 0, decided
    are_free = look_at(now, 0)
  end
  if are_free == nil then return "${refusal(counter)}" end
  if width == 1 then return settle(states[1], are_free) end
  local said = {}
  for index = 1, width do said[index] = settle(states[index], are_free) end
  return table.concat(said, " ")
end

local at = 3
while keys_read < #KEYS do
  local calls = tonumber(ARGV[at])
  width = tonumber(ARGV[at + 1])
  at = at + 2
  for index = 1, width do
    local s = states[index] or {}
    states[index] = s
    s.window, s.limit, s.cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    s.extra, s.accepts = tonumber(ARGV[at + 3]), ARGV[at + 4]
    prepare(s)
    at = at + 5
  end
  for _ = 1, calls do
    lines[decided + 2] = decide()
    decided = decided + 1
  end
end
lines[1] = format("%d %d %d", begun, now, estimated or decided)
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
local s = {
  key = KEYS[1], window = tonumber(ARGV[2]), limit = tonumber(ARGV[3]), extra = tonumber(ARGV[4]),
}
prepare(s)
local failure = read_all(s)
if failure then return redis.error_reply(failure) end
if not s.stored then return 0 end
if not open(s, tonumber(ARGV[1]), 0) then return redis.error_reply("${refusal(counter)}") end
if ARGV[8] ~= "0" and s.born ~= time_text[tonumber(ARGV[8])] then return 0 end
if not call("SET", KEYS[2], "1", "NX", "PX", ARGV[7]) then return 0 end
local taken = give_back(s, tonumber(ARGV[5]), tonumber(ARGV[6]))
if taken > 0 then write(s) end
return taken
`;
