import { admissionsLua } from "./admissions.ts";
import type { Counter } from "./counter.ts";
import { digitsLua } from "./digits.ts";

/** The error for a key that another program has written. */
export const refusal = ({ name }: Counter): string =>
  `ERR The key holds something that no ${name} rate limit has written: use another scope, or delete it`;

/**
 * The scripts work on one key at a time. Its numbers are in local variables, which Lua reads faster than the fields of
 * a table.
 */
const keyLua = `
local key, window, limit, extra
local asked, span
local stored, born, now, is_unsure
`;

/** Reads the whole key: `stored` is its text, or false. Returns an error's text when the key can't be read. */
const readAllLua = `
local function read_all()
  local text = redis.pcall("GET", key)
  if type(text) == "table" then return text.err end
  stored = text
end
`;

/** The beginning of every script of a limit. */
const beginning = (counter: Counter): string => `${digitsLua}${keyLua}${readAllLua}${counter.lua}`;

/** The time of the batch. `begun` is its first value. */
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

/**
 * `look_at_key` returns whether something was merged, and what `look` says; nil where the counter has not written the
 * key. `turn_to` makes another key the one that is looked at.
 */
const lookLua = `
local function turn_to(rule, name, text)
  window, limit, extra, key, stored = rule.window, rule.limit, rule.extra, name, text
  prepare()
end

local function look_at_key(rule)
  if not open() then return nil end
  local is_merged = rule.admissions ~= "" and merge(admissions_of(rule.admissions))
  return is_merged, look(rule.cost)
end
`;

/** Reads the keys of a call. */
const readCallLua = `
    local failure
    for index = 1, width do
      key = KEYS[keys_before + index]
      if width > 1 then turn_to(rules[index], key) end
      failure = failure or read()
      texts[index] = stored
    end
`;

/** Looks at all keys. If the decision depends on the exact time, looks again by the server's time. */
const lookAtCallLua = (counter: Counter): string => `
    local are_free, is_merged, is_free, current, retry, more, reset
    while not failure do
      local may_be_free, are_unsure, latest = true, false, asked + span
      are_free = true
      for index = 1, width do
        local rule = rules[index]
        if width > 1 then turn_to(rule, KEYS[keys_before + index], texts[index]) end
        is_merged, is_free, current, retry, more, reset = look_at_key(rule)
        if is_merged == nil then
          failure = "${refusal(counter)}"
          break
        end
        texts[index] = stored
        are_free, may_be_free = are_free and is_free, may_be_free and (is_free or retry <= latest)
        are_unsure = are_unsure or is_unsure
      end
      if failure or span == 0 or not (are_unsure or may_be_free and not are_free) then break end
      asked, span, estimated = server_time(), 0, decided
    end
`;

/**
 * Charges all of them, if all were free, and says what there is to say of each. A key that stands alone is still open.
 */
const settleCallLua = `
    local line = failure
    for index = 1, failure and 0 or width do
      local rule = rules[index]
      if width > 1 then
        turn_to(rule, KEYS[keys_before + index], texts[index])
        is_merged, is_free, current, retry, more, reset = look_at_key(rule)
      end
      local looked, charged, state = now, 0, is_free and "1" or "0"
      if are_free and rule.cost > 0 then
        charged, state = charge(rule.cost), "2"
        local _
        _, current, _, more, reset = look(0)
      end
      if charged > 0 or is_merged then write() end
      local said = state .. born .. " " .. decimal[current] .. " " .. (looked ~= begun and decimal[looked - begun] or "0")
        .. " " .. (retry > 0 and decimal[retry - begun] or "0") .. " " .. (more > 0 and decimal[more - begun] or "0")
        .. " " .. (reset > 0 and decimal[reset - begun] or "0") .. " " .. (charged > 0 and decimal[charged - begun] or "0")
      line = line and line .. " " .. said or said
    end
`;

/** Decides on all calls. It defines no function, since each script call would define it anew. */
const batchLua = (counter: Counter): string => `
local rules, texts, keys_before, at = {}, {}, 0, 3
while keys_before < #KEYS do
  local calls, width = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  at = at + 2
  for index = 1, width do
    rules[index] = {
      window = tonumber(ARGV[at]), limit = tonumber(ARGV[at + 1]), cost = tonumber(ARGV[at + 2]),
      extra = tonumber(ARGV[at + 3]), admissions = ARGV[at + 4],
    }
    at = at + 5
  end
  if width == 1 then turn_to(rules[1]) end
  for _ = 1, calls do${readCallLua}${lookAtCallLua(counter)}${settleCallLua}
    lines[decided + 2] = line
    decided, keys_before = decided + 1, keys_before + width
  end
end
lines[1] = format("%d %d %d", begun, asked, estimated or decided)
return table.concat(lines, "\\n")
`;

/**
 * Decides on the calls of one batch, one after another. Each is under one limit or several, each of which is a key: all
 * of them are looked at, then all are charged or none is. A refused call writes nothing, unless there was something to
 * merge.
 *
 * KEYS: the keys of the first call, then those of the second, …
 * ARGV: the earliest time that it may be now, in microseconds, or "" to read the server's time; by how much it may be
 * later. Then for each group of calls with the same numbers: how many calls, how many keys each has, and for each of
 * these keys the window in microseconds, the limit, the cost, the counter's `extra`, and what was admitted elsewhere
 * (`encodeAdmissions`).
 *
 * Returns lines. The first: the time at the beginning, the time at the end (the server's own, if it was read), and how
 * many calls were decided before it was read. Then one line for each call. It holds for each key: 1 if it is free, 2 if
 * it was charged, otherwise 0, followed by the time of its creation, as text; then the current usage, and the times of
 * the look, retry, more, reset and charge, each relative to the first line's time; 0 where there is none. Or an error,
 * where a key can't be used: it concerns that call only.
 *
 * The script reads the server's time, which is one command more, only where a decision depends on it: when the call is
 * refused at the earliest time and would not be at the latest.
 */
export const decideLua = (counter: Counter): string =>
  [beginning(counter), admissionsLua, timeLua, lookLua, batchLua(counter)].join("");

/**
 * Gives a call back, once.
 *
 * KEYS: the limit's, and one that marks the receipt as used up.
 * ARGV: the earliest time that it may be, the window, the limit, the counter's `extra`, when the call was charged, its
 * cost, for how long the mark stands, in milliseconds, and when the key was born that charged the call, or 0 for
 * whenever.
 *
 * Returns how much was given back.
 */
export const refundLua = (counter: Counter): string => `${beginning(counter)}${counter.giveBackLua}
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
