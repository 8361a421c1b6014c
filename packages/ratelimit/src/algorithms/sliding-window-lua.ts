import { graceMs } from "./counter.ts";
import { countWidth, timeWidth } from "./digits.ts";
import { earlierHeaderWidth, frontRecords, frontWidth, headerWidth, longestLeadUs } from "./window-text.ts";

/**
 * The sliding window in Lua. Its state is text as `window-text` describes it:
 *
 *   later records | the front | the header
 *
 * `s.stored` is the end of that text, or all of it. `s.text` from `s.from` to `s.to` are the records that are known, the oldest
 * first. Behind them come `s.later` stored records of which only the newest is known, and `s.added`.
 */
export const slidingWindowLua: string = `
local function modulo(value, range) return value - floor(value / range) * range end

local function time_at(s, at)
  return s.latest - modulo(s.latest - number_at(s.text, at, s.width), s.range)
end

local function cost_at(s, at) return number_at(s.text, at + s.width, s.wide) end

local function split(s, at, cost)
  local time = digits(modulo(at, s.range), s.width)
  if cost <= s.largest then return cost > 0 and time .. digits(cost, s.wide) or "" end
  local added = ""
  while cost > 0 do
    local part = min(cost, s.largest)
    added = added .. time .. digits(part, s.wide)
    cost = cost - part
  end
  return added
end

local function prepare(s)
  local width, range = 5, 64 ^ 5
  while range >= 256 * s.window and width > 1 do width, range = width - 1, range / 64 end
  while range < 4 * s.window do width, range = width + 1, range * 64 end
  s.width, s.range, s.expected_wide = width, range, s.extra > 1 and 4 or 1
  s.reach = -(${frontRecords + 1} * (width + s.expected_wide) + ${headerWidth})
end

-- Reads the newest record, the front and the header. Returns what is wrong with the key.
local function read(s)
  local text = redis.pcall("GETRANGE", s.key, s.reach, -1)
  if type(text) == "table" then return text.err end
  s.stored = text
end

local function wide_is(s, wide) s.wide, s.step, s.largest = wide, s.width + wide, 64 ^ wide - 1 end

-- Reads the header in s.stored. Returns false where that is not the end of a window's text, or too little of it.
local function parse(s)
  local stored = s.stored
  local header = #stored - ${headerWidth}
  if header < 0 then return false end
  local width, wide, mark = byte(stored, -3, -1)
  if mark ~= 126 or width - 48 ~= s.width or wide <= 48 then return false end
  local counts = header + ${3 * timeWidth + 2 * countWidth + 1}
  wide_is(s, wide - 48)
  s.header, s.later = header, count_in(stored, header + ${3 * timeWidth + countWidth + 1})
  s.front = header - number_at(stored, counts, ${frontWidth}) * s.step + 1
  s.gone = number_at(stored, counts + ${frontWidth}, ${frontWidth})
  if s.front - min(s.later, 1) * s.step < 1 then return false end
  s.last, s.born = time_in(stored, header + 1), time_in(stored, header + ${1 + timeWidth})
  s.total, s.from, s.to = count_in(stored, header + ${1 + 3 * timeWidth}), s.front + s.gone * s.step, header
  s.is_whole = s.front - s.later * s.step == 1
  return s.is_whole or #stored == -s.reach
end

-- The same for what earlier versions have written.
local function parse_earlier(s)
  local stored, header = s.stored, ${earlierHeaderWidth}
  local kind, width, wide = byte(stored, 1, 3)
  if kind ~= 115 or #stored < header or width - 48 ~= s.width or wide <= 48 then return false end
  wide_is(s, wide - 48)
  s.last, s.born = time_in(stored, 4), time_in(stored, ${4 + timeWidth})
  s.total = count_in(stored, ${4 + 2 * timeWidth})
  s.from, s.to, s.later, s.is_whole = header + 1, #stored, 0, true
  return (s.to - header) % s.step == 0
end

-- Makes all stored records known.
local function gather(s)
  if s.later == 0 then return end
  if not s.is_whole then s.stored, s.is_whole = redis.call("GET", s.key), true end
  s.text = sub(s.text, s.from, s.to) .. sub(s.stored, 1, s.later * s.step)
  s.from, s.to, s.later = 1, #s.text, 0
end

local function records_are(s, text)
  s.text, s.from, s.to, s.later, s.added = text, 1, #text, 0, ""
  s.oldest = text == "" and 0 or time_at(s, 1)
  s.newest = text == "" and 0 or time_at(s, #text - s.step + 1)
end

-- Lets go of the records that are as old as the window.
local function expire(s)
  local horizon, oldest = s.now - s.window, 0
  while true do
    while s.from <= s.to do
      oldest = time_at(s, s.from)
      if oldest > horizon then
        s.oldest = oldest
        return
      end
      s.total = s.total - cost_at(s, s.from)
      s.from = s.from + s.step
    end
    if s.later == 0 or s.newest <= horizon then break end
    gather(s)
  end
  s.total = 0
  records_are(s, "")
end

local function open(s, asked, span)
  s.asked, s.span, s.is_unsure, s.added = asked, span, false, ""
  if s.stored ~= "" and not parse(s) then
    s.stored = redis.call("GET", s.key)
    if not (parse(s) and s.is_whole) and not parse_earlier(s) then return false end
  end
  if s.stored == "" then
    wide_is(s, s.expected_wide)
    s.now, s.born, s.total, s.is_whole = asked, asked, 0, true
    records_are(s, "")
  else
    s.now, s.text, s.latest = max(asked, s.last + 1), s.stored, s.last + s.window
    s.newest = (s.later > 0 and time_at(s, s.front - s.step)) or (s.from <= s.to and time_at(s, s.to - s.step + 1)) or 0
    expire(s)
  end
  s.latest = s.now + s.window
  return true
end

-- When the call was accepted with whose end so much is free.
local function freeing(s, amount)
  local at, time = s.from, 0
  while amount > 0 do
    if at > s.to then
      if s.later == 0 then return time end
      at = at - s.from + 1
      gather(s)
    end
    time, amount, at = time_at(s, at), amount - cost_at(s, at), at + s.step
  end
  return time
end

local function look(s, cost)
  local is_free = s.total + cost <= s.limit
  if s.total == 0 then return is_free, 0, 0, 0, 0 end
  local retry = is_free and 0 or freeing(s, s.total + cost - s.limit) + s.window
  return is_free, s.total, retry, s.oldest + s.window, s.newest + s.window
end

local function charge(s, cost)
  local follows = s.newest + (s.extra == 1 and 1 or 0)
  local at, added = max(ceil((s.now + s.span) / s.extra) * s.extra, follows), cost
  if s.newest == at and s.later > 0 then
    s.later = s.later - 1
    added = added + cost_at(s, s.front - s.step)
  elseif s.newest == at and s.from <= s.to then
    s.to = s.to - s.step
    added = added + cost_at(s, s.to + 1)
  end
  s.added, s.total, s.newest = split(s, at, added), s.total + cost, at
  if s.oldest == 0 then s.oldest = at end
  return at
end

local function give_back(s, at, cost)
  gather(s)
  local from = s.from
  while from <= s.to and time_at(s, from) < at do from = from + s.step end
  local to, there = from, 0
  while to <= s.to and time_at(s, to) == at do
    there = there + cost_at(s, to)
    to = to + s.step
  end
  local taken = min(cost, there)
  records_are(s, sub(s.text, s.from, from - 1) .. split(s, at, there - taken) .. sub(s.text, to, s.to))
  s.total = s.total - taken
  return taken
end

local function merge(s, accepts)
  local costs, times, news, changes = {}, {}, {}, false
  for _, accept in ipairs(accepts) do
    if accept.born ~= s.born and accept.at > s.now - s.window then news[#news + 1] = accept end
  end
  if #news == 0 then return false end
  local function add(at, cost)
    if not costs[at] then times[#times + 1] = at end
    costs[at] = (costs[at] or 0) + cost
  end
  gather(s)
  for at = s.from, s.to, s.step do add(time_at(s, at), cost_at(s, at)) end
  for _, accept in ipairs(news) do
    local at = ceil(min(accept.at, s.now + s.span) / s.extra) * s.extra
    accept.at, accept.is_here = at, s.extra == 1 and costs[at]
  end
  for _, accept in ipairs(news) do
    if not accept.is_here then
      add(accept.at, accept.cost)
      s.total, changes = s.total + accept.cost, true
    end
  end
  table.sort(times)
  for index, at in ipairs(times) do times[index] = split(s, at, costs[at]) end
  records_are(s, table.concat(times))
  return changes
end

local function header_of(s, born_and_lasts, later, front, gone)
  local low, low_gone = front % 64, gone % 64
  return digits_of_time(s.now) .. born_and_lasts .. digits_of_count(s.total) .. digits_of_count(later)
    .. char((front - low) / 64 + 48, low + 48, (gone - low_gone) / 64 + 48, low_gone + 48, s.width + 48, s.wide + 48, 126)
end

local function write(s)
  local ends, is_ahead = max(s.newest, s.now) + s.window, s.now - s.asked > ${longestLeadUs}
  if s.later > 0 and not is_ahead then
    local stored, header = s.stored, s.header
    if ends <= time_in(stored, header + ${1 + 2 * timeWidth}) then
      local later, front = s.later + #s.added / s.step, (header - s.front + 1) / s.step
      local kept = sub(stored, header + ${1 + timeWidth}, header + ${3 * timeWidth})
      local new_header = header_of(s, kept, later, front, (s.from - s.front) / s.step)
      redis.call("SETRANGE", s.key, s.later * s.step, s.added .. sub(stored, s.front, header) .. new_header)
      return
    end
  end
  gather(s)
  local records = sub(s.text, s.from, s.to) .. s.added
  local front = min(#records, ${frontRecords} * s.step)
  local later = (#records - front) / s.step
  local lasts = ends + (later > 0 and not is_ahead and floor(s.window / 2) or 0)
  local header = header_of(s, digits_of_time(s.born) .. digits_of_time(lasts), later, front / s.step, 0)
  local text = later > 0 and sub(records, front + 1) .. sub(records, 1, front) .. header or records .. header
  redis.call("SET", s.key, text, "PX", ceil((lasts - s.now) / 1000) + ${graceMs})
end
`;
