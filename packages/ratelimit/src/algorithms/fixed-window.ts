import { type Counter, graceMs } from "./counter.ts";
import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

const width = 1 + 2 * timeWidth + countWidth;

/**
 * Windows that begin at full multiples of their length: "f", the beginning of the window, the birth, the amount used.
 */
export const fixedWindow: Counter = {
  name: "fixed",
  open(text, nowUs, { windowUs, limit, spanUs }) {
    if (text !== null && (text.length !== width || text[0] !== "f")) return undefined;
    const ours = startOf(nowUs, windowUs);
    const stored = text === null ? 0 : numberAt(text, 1, timeWidth);
    const startUs = Math.max(ours, stored);
    const now = Math.max(nowUs, startUs);
    const bornUs = text === null ? now : numberAt(text, 1 + timeWidth, timeWidth);
    let used = text !== null && stored === startUs ? numberAt(text, 1 + 2 * timeWidth, countWidth) : 0;
    const endUs = startUs + windowUs;
    return {
      nowUs: now,
      bornUs,
      isUnsure: startOf(nowUs + spanUs, windowUs) > startUs,
      look(cost) {
        const isFree = used + cost <= limit;
        const freeAtUs = used > 0 ? endUs : 0;
        return {
          isFree,
          current: used,
          retryAtUs: isFree ? 0 : endUs,
          moreAtUs: freeAtUs,
          resetAtUs: freeAtUs,
        };
      },
      charge(cost) {
        used += cost;
        return now;
      },
      giveBack(atUs, cost) {
        const taken = startOf(atUs, windowUs) === startUs ? Math.min(cost, used) : 0;
        used -= taken;
        return taken;
      },
      merge(accepts) {
        let isChanged = false;
        for (const { bornUs: born, atUs, cost } of accepts) {
          if (born === bornUs || startOf(atUs, windowUs) !== startUs) continue;
          used += cost;
          isChanged = true;
        }
        return isChanged;
      },
      text: () => `f${digits(startUs, timeWidth)}${digits(bornUs, timeWidth)}${digits(used, countWidth)}`,
      ttlMs: () => Math.ceil((endUs - now) / 1_000) + graceMs,
    };
  },
  lua: `
local function start_of(at, window) return at - at % window end

local function open(text, now, window, limit, _, span)
  if text and (#text ~= ${width} or byte(text) ~= 102) then return nil end
  local stored = text and time_in(text, 2) or 0
  local start = max(start_of(now, window), stored)
  local is_unsure = start_of(now + span, window) > start
  now = max(now, start)
  return {
    now = now,
    is_unsure = is_unsure,
    born = text and time_in(text, ${2 + timeWidth}) or now,
    used = text and stored == start and count_in(text, ${2 + 2 * timeWidth}) or 0,
    start = start,
    window = window,
    limit = limit,
  }
end

local function look(s, cost)
  local is_free = s.used + cost <= s.limit
  local ends = s.start + s.window
  local frees = s.used > 0 and ends or 0
  return is_free, s.used, is_free and 0 or ends, frees, frees
end

local function charge(s, cost)
  s.used = s.used + cost
  return s.now
end

local function give_back(s, at, cost)
  local taken = start_of(at, s.window) == s.start and min(cost, s.used) or 0
  s.used = s.used - taken
  return taken
end

local function merge(s, accepts)
  local is_changed = false
  for _, accept in ipairs(accepts) do
    if accept.born ~= s.born and start_of(accept.at, s.window) == s.start then
      s.used = s.used + accept.cost
      is_changed = true
    end
  end
  return is_changed
end

local function text_of(s)
  return "f" .. digits_of_time(s.start) .. digits_of_time(s.born) .. digits_of_count(s.used)
end

local function ttl_of(s)
  return ceil((s.start + s.window - s.now) / 1000) + ${graceMs}
end
`,
};

const startOf = (atUs: number, windowUs: number): number => atUs - (atUs % windowUs);
