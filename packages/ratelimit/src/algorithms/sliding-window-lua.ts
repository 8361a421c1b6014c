import { graceMs } from "./counter.ts";
import { countWidth, timeWidth } from "./digits.ts";
import { earlierHeaderWidth, frontRecords, frontWidth, headerWidth, longestLeadUs } from "./window-text.ts";

/** The counts of the header, and what follows them. */
const countsWidth = 2 * countWidth + 2 * frontWidth + 3;
/** What so many digits are worth that were read as bytes. */
const zeros = (width: number): number => (48 * (64 ** width - 1)) / 63;

/** What a record holds, and how a call becomes one, or several where its cost is too large for one. */
const recordsLua = `
local function time_at(s, at)
  local latest = s.latest
  return latest - (latest - number_at(s.text, at, s.width)) % s.range
end

local function cost_at(s, at) return number_at(s.text, at + s.width, s.wide) end

local function split(s, at, cost)
  local time = digits(at, s.width)
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
  s.width, s.range, s.wide, s.expected_wide = width, range, nil, s.extra > 1 and 4 or 1
  s.reach = ${frontRecords + 1} * (width + s.expected_wide) + ${headerWidth}
  s.first = "-" .. s.reach
end
`;

/** Reads the newest record, the front and the header. Returns what is wrong with the key. */
const readLua = `
local function read(s)
  local text = redis.pcall("GETRANGE", s.key, s.first, "-1")
  if type(text) == "table" then return text.err end
  s.stored = text
end

local function wide_is(s, wide)
  if s.wide ~= wide then s.wide, s.step, s.largest = wide, s.width + wide, 64 ^ wide - 1 end
end
`;

/**
 * Reads the header in `s.stored`. Returns false where that is not the end of a window's text, or too little of it.
 * `parse_earlier` does so for what earlier versions have written.
 */
const parseLua = `
local function parse(s)
  local stored = s.stored
  local header = #stored - ${headerWidth}
  if header < 0 then return false end
  local a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, width, wide, mark = byte(stored, ${-countsWidth}, -1)
  if mark ~= 126 or width - 48 ~= s.width or wide <= 48 then return false end
  wide_is(s, wide - 48)
  local total = ((a * 64 + b) * 64 + c) * 64 + d
  local later = ((g * 64 + h) * 64 + i) * 64 + j
  s.total, later = (total * 64 + e) * 64 + f - ${zeros(6)}, (later * 64 + k) * 64 + l - ${zeros(6)}
  local step = s.step
  local front = header - (m * 64 + n - ${zeros(2)}) * step + 1
  local oldest = front - later * step
  if front - min(later, 1) * step < 1 then return false end
  s.last, s.born = time_in(stored, header + 1), sub(stored, header + ${1 + timeWidth}, header + ${2 * timeWidth})
  s.header, s.later, s.front, s.from, s.to = header, later, front, front + (o * 64 + p - ${zeros(2)}) * step, header
  s.is_whole = oldest == 1
  return s.is_whole or #stored == s.reach
end

local function parse_earlier(s)
  local stored, header = s.stored, ${earlierHeaderWidth}
  local kind, width, wide = byte(stored, 1, 3)
  if kind ~= 115 or #stored < header or width - 48 ~= s.width or wide <= 48 then return false end
  wide_is(s, wide - 48)
  s.last, s.born = time_in(stored, 4), sub(stored, ${4 + timeWidth}, ${3 + 2 * timeWidth})
  s.total = number_at(stored, ${4 + 2 * timeWidth}, ${countWidth})
  s.from, s.to, s.later, s.is_whole = header + 1, #stored, 0, true
  return (s.to - header) % s.step == 0
end
`;

/** `gather` makes all stored records known, `records_are` says what they are. */
const gatherLua = `
local function gather(s)
  if s.later == 0 then return end
  if not s.is_whole then s.stored, s.is_whole = call("GET", s.key), true end
  s.text = sub(s.text, s.from, s.to) .. sub(s.stored, 1, s.later * s.step)
  s.from, s.to, s.later = 1, #s.text, 0
end

local function records_are(s, text)
  s.text, s.from, s.to, s.later, s.added = text, 1, #text, 0, ""
  s.oldest = text == "" and 0 or time_at(s, 1)
  s.newest = text == "" and 0 or time_at(s, #text - s.step + 1)
end
`;

/** `expire` lets go of the records that are as old as the window. */
const openLua = `
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
    s.stored = call("GET", s.key)
    if not (parse(s) and s.is_whole) and not parse_earlier(s) then return false end
  end
  if s.stored == "" then
    wide_is(s, s.expected_wide)
    s.now, s.born, s.total, s.is_whole = asked, time_text[asked], 0, true
    records_are(s, "")
  else
    local last = s.last
    s.now, s.text, s.latest = asked > last and asked or last + 1, s.stored, last + s.window
    s.newest = (s.later > 0 and time_at(s, s.front - s.step)) or (s.from <= s.to and time_at(s, s.to - s.step + 1)) or 0
    expire(s)
  end
  s.latest = s.now + s.window
  return true
end
`;

/** `freeing` returns when the call was accepted with whose end so much is free. */
const decideLua = `
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
  local unit, added = s.extra, cost
  local at, follows = s.now + s.span, s.newest
  if unit == 1 then follows = follows + 1 else at = ceil(at / unit) * unit end
  if at < follows then at = follows end
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
`;

const giveBackLua = `
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
`;

const mergeLua = `
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
`;

const writeLua = `
local function header_of(s, lasts, later, front, gone)
  return time_text[s.now] .. s.born .. time_text[lasts] .. digits(s.total, ${countWidth}) .. digits(later, ${countWidth})
    .. digits(front * ${64 ** frontWidth} + gone, ${2 * frontWidth}) .. char(s.width + 48, s.wide + 48, 126)
end

local function write(s)
  local ends = (s.newest > s.now and s.newest or s.now) + s.window
  local is_ahead = s.now - s.asked > ${longestLeadUs}
  if s.later > 0 and not is_ahead then
    local stored, header, step = s.stored, s.header, s.step
    local lasts = time_in(stored, header + ${1 + 2 * timeWidth})
    if ends <= lasts then
      local later, front = s.later + #s.added / step, (header - s.front + 1) / step
      local new_header = header_of(s, lasts, later, front, (s.from - s.front) / step)
      call("SETRANGE", s.key, decimal[s.later * step], s.added .. sub(stored, s.front, header) .. new_header)
      return
    end
  end
  gather(s)
  local text, lasts = sub(s.text, s.from, s.to) .. s.added, ends
  local front = ${frontRecords} * s.step
  if #text > front then
    if not is_ahead then lasts = lasts + floor(s.window / 2) end
    text = sub(text, front + 1) .. sub(text, 1, front) .. header_of(s, lasts, (#text - front) / s.step, ${frontRecords}, 0)
  else
    text = text .. header_of(s, lasts, 0, #text / s.step, 0)
  end
  call("SET", s.key, text, "PX", decimal[ceil((lasts - s.now) / 1000) + ${graceMs}])
end
`;

/**
 * The sliding window in Lua. Its state is text as `window-text` describes it:
 *
 *   later records | the front | the header
 *
 * `s.stored` is the end of that text, or all of it. `s.text` from `s.from` to `s.to` are the records that are known, the oldest
 * first. Behind them come `s.later` stored records of which only the newest is known, and `s.added`.
 */
export const slidingWindowLua: string = [
  recordsLua,
  readLua,
  parseLua,
  gatherLua,
  openLua,
  decideLua,
  giveBackLua,
  mergeLua,
  writeLua,
].join("");
