import { type AcceptRing, openRing } from "./accept-ring.ts";
import type { Accept } from "./accepts.ts";
import { type Counter, graceMs, type Standing } from "./counter.ts";
import { countWidth, timeWidth } from "./digits.ts";

/** The largest limit of which every single call is kept by its time. */
export const largestExactLimit = 2_000;

/** Above it, the times of calls are rounded up to this many parts of a window. */
const partsOfWindow = 256;

/**
 * What times are rounded up to, in microseconds: `extra` of this counter. Rounded down, a window could hold too much.
 */
export const quantumOf = (windowUs: number, limit: number): number =>
  limit > largestExactLimit ? Math.max(1, Math.floor(windowUs / partsOfWindow)) : 1;

/**
 * A window that ends now, wherever now is: it holds the time and cost of each call that was accepted in it.
 *
 * Invariants: a key's time never stands still, and each call of an exact window gets a time after all others, so that
 * no two have the same; the entries are in the order of their times; no entry is older than the window at the time of
 * the last write.
 */
export const slidingWindow: Counter = {
  name: "sliding",
  open(text, askedUs, { windowUs, limit, extra: quantumUs, spanUs }) {
    const ring = openRing(text, askedUs, windowUs, quantumUs > 1 ? 4 : 1);
    if (!ring) return undefined;
    const now = Math.max(askedUs, ring.lastUs + 1);
    const latest = now + spanUs;
    ring.advance(now);
    return {
      nowUs: now,
      bornUs: ring.bornUs,
      isUnsure: false,
      look: (cost) => look(ring, windowUs, limit, cost),
      charge(cost) {
        const follows = ring.newestUs + (quantumUs === 1 ? 1 : 0);
        const atUs = Math.max(Math.ceil(latest / quantumUs) * quantumUs, follows);
        ring.append(atUs, cost);
        return atUs;
      },
      giveBack: (atUs, cost) => ring.take(atUs, cost),
      merge(accepts) {
        const news = accepts
          .filter(({ bornUs, atUs }) => bornUs !== ring.bornUs && atUs > now - windowUs)
          .map(
            (accept): Accept => ({ ...accept, atUs: Math.ceil(Math.min(accept.atUs, latest) / quantumUs) * quantumUs }),
          );
        return news.length > 0 && ring.insert(news, quantumUs === 1);
      },
      text: () => ring.text(),
      ttlMs: () => Math.ceil((Math.max(ring.newestUs, now) + windowUs - now) / 1_000) + graceMs,
    };
  },
  lua: `
local function modulo(value, range) return value - floor(value / range) * range end

local function time_at(s, at)
  return s.latest - modulo(s.latest - number_at(s.text, at, s.width), s.range)
end

local function cost_at(s, at) return number_at(s.text, at + s.width, s.wide) end

local function split(s, at, cost)
  local time, added = digits(modulo(at, s.range), s.width), ""
  while cost > 0 do
    local part = min(cost, s.largest)
    added = added .. time .. digits(part, s.wide)
    cost = cost - part
  end
  return added
end

-- The entries stand in s.text from s.from to s.to; behind them comes s.added. s.oldest and s.newest are the times of the
-- first and the last, 0 for none.
local function entries_are(s, text, from)
  s.text, s.from, s.to, s.added = text, from, #text, ""
  s.oldest = from <= s.to and time_at(s, from) or 0
  s.newest = from <= s.to and time_at(s, s.to - s.step + 1) or 0
end

local function open(text, now, window, limit, quantum, span)
  local width, range = 5, 64 ^ 5
  while range >= 256 * window and width > 1 do width, range = width - 1, range / 64 end
  while range < 4 * window do width, range = width + 1, range * 64 end
  local wide, last, born, total = quantum > 1 and 4 or 1, now - 1, now, 0
  local from = ${4 + 2 * timeWidth + countWidth}
  if text then
    local kind, stored, costs = byte(text, 1, 3)
    if kind ~= 115 or stored - 48 ~= width then return nil end
    wide = costs - 48
    if (#text - from + 1) % (width + wide) ~= 0 then return nil end
    last = time_in(text, 4)
    born = time_in(text, ${4 + timeWidth})
    total = count_in(text, ${4 + 2 * timeWidth})
  end
  now = max(now, last + 1)
  local s = {
    now = now, span = span, is_unsure = false, born = born, total = total, window = window, limit = limit,
    quantum = quantum,
    width = width, range = range, wide = wide, step = width + wide, largest = 64 ^ wide - 1,
    latest = last + window, text = text or "", from = from, to = 0, added = "", oldest = 0, newest = 0,
    cost = 0, charged = 0, looked = now, is_free = false, is_merged = false, current = 0, retry = 0, more = 0, reset = 0,
  }
  local to = #s.text
  while from <= to and time_at(s, from) <= now - window do
    s.total = s.total - cost_at(s, from)
    from = from + s.step
  end
  s.latest = now + window
  entries_are(s, s.text, from)
  return s
end

local function look(s, cost)
  if s.total == 0 then return cost <= s.limit, 0, 0, 0, 0 end
  local frees, needed, at = 0, s.total + cost - s.limit, s.from
  while needed > 0 and at <= s.to do
    needed = needed - cost_at(s, at)
    frees = time_at(s, at) + s.window
    at = at + s.step
  end
  return s.total + cost <= s.limit, s.total, frees, s.oldest + s.window, s.newest + s.window
end

local function charge(s, cost)
  local follows = s.newest + (s.quantum == 1 and 1 or 0)
  local at, added = max(ceil((s.now + s.span) / s.quantum) * s.quantum, follows), cost
  if s.newest == at and s.from <= s.to then
    s.to = s.to - s.step
    added = added + cost_at(s, s.to + 1)
  end
  s.added = split(s, at, added)
  s.total = s.total + cost
  s.newest = at
  if s.oldest == 0 then s.oldest = at end
  return at
end

local function entries_of(s) return sub(s.text, s.from, s.to) .. s.added end

local function give_back(s, at, cost)
  local from = s.from
  while from <= s.to and time_at(s, from) < at do from = from + s.step end
  local to, there = from, 0
  while to <= s.to and time_at(s, to) == at do
    there = there + cost_at(s, to)
    to = to + s.step
  end
  local taken = min(cost, there)
  entries_are(s, sub(s.text, s.from, from - 1) .. split(s, at, there - taken) .. sub(s.text, to), 1)
  s.total = s.total - taken
  return taken
end

local function merge(s, accepts)
  local costs, times, news = {}, {}, {}
  local function add(at, cost)
    if not costs[at] then times[#times + 1] = at end
    costs[at] = (costs[at] or 0) + cost
  end
  for at = s.from, s.to, s.step do add(time_at(s, at), cost_at(s, at)) end
  for _, accept in ipairs(accepts) do
    local at = ceil(min(accept.at, s.now + s.span) / s.quantum) * s.quantum
    local is_here = s.quantum == 1 and costs[at]
    if accept.born ~= s.born and accept.at > s.now - s.window and not is_here then
      news[#news + 1] = { at = at, cost = accept.cost }
    end
  end
  if #news == 0 then return false end
  for _, one in ipairs(news) do
    add(one.at, one.cost)
    s.total = s.total + one.cost
  end
  table.sort(times)
  local kept = {}
  for _, at in ipairs(times) do kept[#kept + 1] = split(s, at, costs[at]) end
  entries_are(s, table.concat(kept), 1)
  return true
end

local function text_of(s)
  return "s" .. char(s.width + 48, s.wide + 48)
    .. digits_of_time(s.now) .. digits_of_time(s.born) .. digits_of_count(s.total) .. entries_of(s)
end

local function ttl_of(s)
  return ceil((max(s.newest, s.now) + s.window - s.now) / 1000) + ${graceMs}
end
`,
};

function look(ring: AcceptRing, windowUs: number, limit: number, cost: number): Standing {
  const { total } = ring;
  const isFree = total + cost <= limit;
  if (total === 0) return { isFree, current: 0, retryAtUs: 0, moreAtUs: 0, resetAtUs: 0 };
  return {
    isFree,
    current: total,
    retryAtUs: isFree ? 0 : ring.freeing(total + cost - limit) + windowUs,
    moreAtUs: ring.oldestUs + windowUs,
    resetAtUs: ring.newestUs + windowUs,
  };
}
