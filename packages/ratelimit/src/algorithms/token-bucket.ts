import { type Counter, graceMs } from "./counter.ts";
import { digits, numberAt, timeWidth } from "./digits.ts";

const width = 1 + 3 * timeWidth;

/** Debts are counted in this many parts of a microsecond, so that a token's share of the window is nearly exact. */
const parts = 1_024;

/** The time in which one token flows in, rounded up, so that never more than the limit flows in. */
const tokenParts = (windowUs: number, limit: number): number => Math.ceil((windowUs * parts) / limit);

/** Whether the debt of such a bucket can be counted in whole numbers. */
export const isCountable = (windowUs: number, limit: number, burst: number): boolean =>
  2 * burst * tokenParts(windowUs, limit) < Number.MAX_SAFE_INTEGER;

/**
 * A bucket, stored as its debt: the time until it is full again (the arithmetic of GCRA). Text: "t", a time, the time
 * of creation, the debt at the first of these. `extra` is how many tokens it holds.
 *
 * Where times are inexact, the stored time plus the debt is the latest time at which the bucket is full again: a debt
 * begins at the latest time of its first call, and is paid off from then on.
 */
export const tokenBucket: Counter = {
  name: "bucket",
  open(text, nowUs, { windowUs, limit, extra: burst, spanUs }) {
    if (text !== null && (text.length !== width || text[0] !== "t")) return undefined;
    const token = tokenParts(windowUs, limit);
    const capacity = burst * token;
    const lastUs = text === null ? nowUs : numberAt(text, 1, timeWidth);
    let now = Math.max(nowUs, lastUs);
    const bornUs = text === null ? now : numberAt(text, 1 + timeWidth, timeWidth);
    const stored = text === null ? 0 : numberAt(text, 1 + 2 * timeWidth, timeWidth);
    let debt = Math.max(0, stored - (now - lastUs) * parts);
    const after = (owed: number): number => now + Math.ceil(owed / parts);
    return {
      get nowUs() {
        return now;
      },
      bornUs,
      isUnsure: false,
      look(cost) {
        const isFree = debt + cost * token <= capacity;
        const left = Math.floor(Math.max(0, capacity - debt) / token);
        return {
          isFree,
          current: Math.ceil(debt / token),
          retryAtUs: isFree ? 0 : after(debt + cost * token - capacity),
          moreAtUs: debt > 0 ? after(debt - (capacity - (left + 1) * token)) : 0,
          resetAtUs: debt > 0 ? after(debt) : 0,
        };
      },
      charge(cost) {
        now = Math.max(now, nowUs + spanUs - Math.floor(debt / parts));
        debt += cost * token;
        return nowUs + spanUs;
      },
      giveBack(atUs, cost) {
        // A whole bucket has flowed in since, so the call is paid for.
        const isOver = (now - atUs) * parts >= capacity;
        const taken = isOver ? 0 : Math.min(cost * token, debt);
        debt -= taken;
        return Math.ceil(taken / token);
      },
      merge(admissions) {
        const before = debt;
        for (const { bornUs: born, cost } of admissions) {
          if (born !== bornUs) debt = Math.min(debt + cost * token, Math.max(debt, capacity));
        }
        return debt !== before;
      },
      text: () => `t${digits(now, timeWidth)}${digits(bornUs, timeWidth)}${digits(debt, timeWidth)}`,
      ttlMs: () => Math.ceil((now - nowUs + debt / parts) / 1_000) + graceMs,
    };
  },
  lua: `
local token, capacity, debt

local function prepare()
  token = ceil(window * ${parts} / limit)
  capacity = extra * token
end

local read = read_all

local function open()
  if stored and (#stored ~= ${width} or byte(stored) ~= 116) then return false end
  local last = stored and time_in(stored, 2) or asked
  local owed = stored and time_in(stored, ${2 + 2 * timeWidth}) or 0
  now, is_unsure = max(asked, last), false
  born = stored and sub(stored, ${2 + timeWidth}, ${1 + 2 * timeWidth}) or time_text[now]
  debt = max(0, owed - (now - last) * ${parts})
  return true
end

local function after(owed) return now + ceil(owed / ${parts}) end

local function look(cost)
  local is_free = debt + cost * token <= capacity
  local left = floor(max(0, capacity - debt) / token)
  local retry = is_free and 0 or after(debt + cost * token - capacity)
  local more = debt > 0 and after(debt - (capacity - (left + 1) * token)) or 0
  local reset = debt > 0 and after(debt) or 0
  return is_free, ceil(debt / token), retry, more, reset
end

local function charge(cost)
  now = max(now, asked + span - floor(debt / ${parts}))
  debt = debt + cost * token
  return asked + span
end

local function merge(admissions)
  local before = debt
  for _, admission in ipairs(admissions) do
    if admission.born ~= born then debt = min(debt + admission.cost * token, max(debt, capacity)) end
  end
  return debt ~= before
end

local function write()
  local text = "t" .. time_text[now] .. born .. time_text[debt]
  call("SET", key, text, "PX", decimal[ceil((now - asked + debt / ${parts}) / 1000) + ${graceMs}])
end
`,
  giveBackLua: `
local function give_back(at, cost)
  local taken = (now - at) * ${parts} >= capacity and 0 or min(cost * token, debt)
  debt = debt - taken
  return ceil(taken / token)
end
`,
};
