import { graceMs } from "./counter.ts";
import { countWidth, timeWidth } from "./digits.ts";
import { earlierHeaderWidth, fewRecords, frontRecords, frontWidth, headerWidth, longestLeadUs } from "./window-text.ts";

/** The counts of the header, and what follows them. */
const countsWidth = 2 * countWidth + 2 * frontWidth + 3;
/** The sum that must be subtracted from digits that were read as bytes. */
const zeros = (width: number): number => (48 * (64 ** width - 1)) / 63;

/** Reads records, and encodes a call as a record, or as several where its cost is too large for one. */
const recordsLua = `
local width, range, wide, expected_wide, widths, step, largest, reach, reach_from
local last, total, header, later, front, is_whole, is_as_stored
local text, from, to, added, oldest, newest, latest

local function time_at(at)
  return latest - (latest - number_at(text, at, width)) % range
end

local function cost_at(at) return number_at(text, at + width, wide) end

local function split(at, cost)
  local time = digits[at % range * 16 + width]
  if cost <= largest then return cost > 0 and time .. digits[cost * 16 + wide] or "" end
  local records = ""
  while cost > 0 do
    local part = min(cost, largest)
    records = records .. time .. digits[part * 16 + wide]
    cost = cost - part
  end
  return records
end

local function prepare()
  width, range, wide, expected_wide = 5, 64 ^ 5, nil, extra > 1 and 4 or 1
  while range >= 256 * window and width > 1 do width, range = width - 1, range / 64 end
  while range < 4 * window do width, range = width + 1, range * 64 end
  reach = ${frontRecords + 1} * (width + expected_wide) + ${headerWidth}
  reach_from = "-" .. reach
end
`;

/** Reads the newest record, the front and the header. Returns an error's text when the key can't be read. */
const readLua = `
local function read()
  local found = redis.pcall("GETRANGE", key, reach_from, "-1")
  if type(found) == "table" then return found.err end
  stored = found
end

local function wide_is(value)
  if wide == value then return end
  wide, step, largest, widths = value, width + value, 64 ^ value - 1, char(width + 48, value + 48, 126)
end
`;

/**
 * Reads the header in `stored`. Returns false where that is not the end of a window's text, or too little of it.
 * `parse_earlier` does the same for the text of earlier versions.
 */
const parseLua = `
local function parse()
  header = #stored - ${headerWidth}
  if header < 0 then return false end
  local a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, known_width, known_wide, mark = byte(stored, ${-countsWidth}, -1)
  if mark ~= 126 or known_width - 48 ~= width or known_wide <= 48 then return false end
  wide_is(known_wide - 48)
  total = ((((a * 64 + b) * 64 + c) * 64 + d) * 64 + e) * 64 + f - ${zeros(6)}
  later = ((((g * 64 + h) * 64 + i) * 64 + j) * 64 + k) * 64 + l - ${zeros(6)}
  front = header - (m * 64 + n - ${zeros(2)}) * step + 1
  if front - min(later, 1) * step < 1 then return false end
  last, born = time_in(stored, header + 1), sub(stored, header + ${1 + timeWidth}, header + ${2 * timeWidth})
  from, to = front + (o * 64 + p - ${zeros(2)}) * step, header
  is_whole, is_as_stored = front - later * step == 1, true
  return is_whole or #stored == reach
end

local function parse_earlier()
  local kind, known_width, known_wide = byte(stored, 1, 3)
  if kind ~= 115 or #stored < ${earlierHeaderWidth} or known_width - 48 ~= width or known_wide <= 48 then return false end
  wide_is(known_wide - 48)
  last, born = time_in(stored, 4), sub(stored, ${4 + timeWidth}, ${3 + 2 * timeWidth})
  total = number_at(stored, ${4 + 2 * timeWidth}, ${countWidth})
  from, to, later, is_whole, is_as_stored = ${earlierHeaderWidth + 1}, #stored, 0, true, false
  return (to - ${earlierHeaderWidth}) % step == 0
end
`;

/** `gather` reads all stored records, `records_are` replaces them. */
const gatherLua = `
local function gather()
  if later == 0 then return end
  if not is_whole then stored, is_whole = call("GET", key), true end
  text = sub(text, from, to) .. sub(stored, 1, later * step)
  from, to, later, is_as_stored = 1, #text, 0, false
end

local function records_are(records)
  text, from, to, later, added, is_as_stored = records, 1, #records, 0, "", false
  oldest = records == "" and 0 or time_at(1)
  newest = records == "" and 0 or time_at(#records - step + 1)
end
`;

/** `expire` drops the records that are as old as the window. */
const openLua = `
local function expire()
  local horizon = now - window
  while true do
    while from <= to do
      oldest = time_at(from)
      if oldest > horizon then return end
      total = total - cost_at(from)
      from = from + step
    end
    if later == 0 or newest <= horizon then break end
    gather()
  end
  total = 0
  records_are("")
end

local function open()
  is_unsure, added = false, ""
  if stored ~= "" and not parse() then
    stored = call("GET", key)
    if not (parse() and is_whole) and not parse_earlier() then return false end
  end
  if stored == "" then
    wide_is(expected_wide)
    now, born, total, is_whole = asked, time_text[asked], 0, true
    records_are("")
  else
    now, text, latest = asked > last and asked or last + 1, stored, last + window
    newest = later > 0 and time_at(front - step) or from <= to and time_at(to - step + 1) or 0
    expire()
  end
  latest = now + window
  return true
end
`;

/** `freeing` returns when the call was admitted whose expiry makes this amount free. */
const decideLua = `
local function freeing(amount)
  local at, time = from, 0
  while amount > 0 do
    if at > to then
      if later == 0 then return time end
      at = at - from + 1
      gather()
    end
    time, amount, at = time_at(at), amount - cost_at(at), at + step
  end
  return time
end

local function look(cost)
  local is_free = total + cost <= limit
  if total == 0 then return is_free, 0, 0, 0, 0 end
  local retry = is_free and 0 or freeing(total + cost - limit) + window
  return is_free, total, retry, oldest + window, newest + window
end

local function charge(cost)
  local at, follows, joined = now + span, newest, cost
  if extra == 1 then follows = follows + 1 else at = ceil(at / extra) * extra end
  if at < follows then at = follows end
  if newest == at and later > 0 then
    later = later - 1
    joined = joined + cost_at(front - step)
  elseif newest == at and from <= to then
    to = to - step
    joined = joined + cost_at(to + 1)
  end
  added, total, newest = split(at, joined), total + cost, at
  if oldest == 0 then oldest = at end
  return at
end
`;

/** For refunds. */
export const slidingGiveBackLua: string = `
local function give_back(at, cost)
  gather()
  local first = from
  while first <= to and time_at(first) < at do first = first + step end
  local next, there = first, 0
  while next <= to and time_at(next) == at do
    there = there + cost_at(next)
    next = next + step
  end
  local taken = min(cost, there)
  records_are(sub(text, from, first - 1) .. split(at, there - taken) .. sub(text, next, to))
  total = total - taken
  return taken
end
`;

const mergeLua = `
local function merge(admissions)
  local costs, times, news, changes = {}, {}, {}, false
  for _, admission in ipairs(admissions) do
    if admission.born ~= born and admission.at > now - window then news[#news + 1] = admission end
  end
  if #news == 0 then return false end
  local function add(at, cost)
    if not costs[at] then times[#times + 1] = at end
    costs[at] = (costs[at] or 0) + cost
  end
  gather()
  for at = from, to, step do add(time_at(at), cost_at(at)) end
  for _, admission in ipairs(news) do
    local at = ceil(min(admission.at, now + span) / extra) * extra
    admission.at, admission.is_here = at, extra == 1 and costs[at]
  end
  for _, admission in ipairs(news) do
    if not admission.is_here then
      add(admission.at, admission.cost)
      total, changes = total + admission.cost, true
    end
  end
  table.sort(times)
  for index, at in ipairs(times) do times[index] = split(at, costs[at]) end
  records_are(table.concat(times))
  return changes
end
`;

/** `write_end` writes only the end of the text, and returns whether that is possible; `write_all` stores all of it. */
const writeLua = `
local function header_of(lasts, later, front, gone)
  return time_text[now] .. born .. lasts .. digits[total * 16 + ${countWidth}] .. digits[later * 16 + ${countWidth}]
    .. digits[(front * ${64 ** frontWidth} + gone) * 16 + ${2 * frontWidth}] .. widths
end

local function write_end(ends)
  if ends > time_in(stored, header + ${1 + 2 * timeWidth}) then return false end
  local lasts = sub(stored, header + ${1 + 2 * timeWidth}, header + ${3 * timeWidth})
  local gone, news = (from - front) / step, #added / step
  if later > 0 then
    local new_header = header_of(lasts, later + news, (header - front + 1) / step, gone)
    call("SETRANGE", key, decimal[later * step], added .. sub(stored, front, header) .. new_header)
    return true
  end
  local in_front = to / step + news
  if front > 1 or in_front > ${frontRecords} then return false end
  call("SETRANGE", key, decimal[to], added .. header_of(lasts, 0, in_front, gone))
  return true
end

local function write_all(ends, is_ahead)
  gather()
  local size, in_front, lasts = to - from + 1 + #added, ${frontRecords} * step, ends
  if size > ${fewRecords} * step and not is_ahead then lasts = lasts + floor(window / 2) end
  local new_text
  if size <= in_front then
    new_text = sub(text, from, to) .. added .. header_of(time_text[lasts], 0, size / step, 0)
  else
    local records = sub(text, from, to) .. added
    new_text = sub(records, in_front + 1) .. sub(records, 1, in_front)
      .. header_of(time_text[lasts], (size - in_front) / step, ${frontRecords}, 0)
  end
  call("SET", key, new_text, "PX", decimal[ceil((lasts - now) / 1000) + ${graceMs}])
end

local function write()
  local ends = (newest > now and newest or now) + window
  local is_ahead = now - asked > ${longestLeadUs}
  if is_ahead or not is_as_stored or not write_end(ends) then write_all(ends, is_ahead) end
end
`;

/**
 * The sliding window in Lua. Its state is text as `window-text` describes it:
 *
 *   later records | the front | the header
 *
 * `stored` is the end of that text, or all of it. `text` from `from` to `to` are the records that are known, the oldest
 * first. Behind them come `later` stored records of which only the newest is known, and `added`.
 */
export const slidingWindowLua: string = [
  recordsLua,
  readLua,
  parseLua,
  gatherLua,
  openLua,
  decideLua,
  mergeLua,
  writeLua,
].join("");
