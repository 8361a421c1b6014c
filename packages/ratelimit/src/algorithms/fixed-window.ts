import { type Counter, graceMs } from "./counter.ts";
import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

const width = 1 + 2 * timeWidth + countWidth;

/**
 * Windows that begin at full multiples of their length. Text: "f", the beginning of the window, the time of creation,
 * the amount used.
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
      merge(admissions) {
        let isChanged = false;
        for (const { bornUs: born, atUs, cost } of admissions) {
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
local start, used

local function start_of(at) return at - at % window end

local function prepare() end

local read = read_all

local function open()
  if stored and (#stored ~= ${width} or byte(stored) ~= 102) then return false end
  local begun = stored and time_in(stored, 2) or 0
  start = max(start_of(asked), begun)
  is_unsure = start_of(asked + span) > start
  now = max(asked, start)
  born = stored and sub(stored, ${2 + timeWidth}, ${1 + 2 * timeWidth}) or time_text[now]
  used = stored and begun == start and number_at(stored, ${2 + 2 * timeWidth}, ${countWidth}) or 0
  return true
end

local function look(cost)
  local is_free = used + cost <= limit
  local ends = start + window
  local frees = used > 0 and ends or 0
  return is_free, used, is_free and 0 or ends, frees, frees
end

local function charge(cost)
  used = used + cost
  return now
end

local function merge(admissions)
  local is_changed = false
  for _, admission in ipairs(admissions) do
    if admission.born ~= born and start_of(admission.at) == start then
      used = used + admission.cost
      is_changed = true
    end
  end
  return is_changed
end

local function write()
  local text = "f" .. time_text[start] .. born .. digits[used * 16 + ${countWidth}]
  call("SET", key, text, "PX", decimal[ceil((start + window - now) / 1000) + ${graceMs}])
end
`,
  giveBackLua: `
local function give_back(at, cost)
  local taken = start_of(at) == start and min(cost, used) or 0
  used = used - taken
  return taken
end
`,
};

const startOf = (atUs: number, windowUs: number): number => atUs - (atUs % windowUs);
