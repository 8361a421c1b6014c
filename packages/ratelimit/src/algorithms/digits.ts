// Numbers as text of a fixed width, in base 64 with the digits "0" to "o": plain ASCII, so that any way to Redis
// carries it unchanged, and in the order of the numbers. All of them are whole, at least 0 and below 2^53.

/** The width of a time, in microseconds since 1970. */
export const timeWidth = 9;

/** The width of a count. */
export const countWidth = 6;

const zero = 48;

export function digits(value: number, width: number): string {
  let text = "";
  for (let rest = value, at = 0; at < width; at++) {
    const digit = rest % 64;
    text = String.fromCharCode(zero + digit) + text;
    rest = (rest - digit) / 64;
  }
  return text;
}

/** Reads the number at a position of a text. */
export function numberAt(text: string, from: number, width: number): number {
  let value = 0;
  for (let at = from; at < from + width; at++) value = value * 64 + text.charCodeAt(at) - zero;
  return value;
}

/**
 * The same in Lua, whose places count from 1. Written out, since loops take three times as long. A batch of calls
 * writes few different numbers, so each is worked out once: `time_text[value]` is a time, `digits[value * 16 + width]`
 * anything shorter, and `decimal[value]` is what commands and replies take: Redis writes numbers slowly.
 */
export const digitsLua: string = `
local byte, char, sub, format = string.byte, string.char, string.sub, string.format
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local call = redis.call

local time_text = setmetatable({}, { __index = function(texts, value)
  local rest, i = value, value % 64; rest = (rest - i) / 64
  local h = rest % 64; rest = (rest - h) / 64
  local g = rest % 64; rest = (rest - g) / 64
  local f = rest % 64; rest = (rest - f) / 64
  local e = rest % 64; rest = (rest - e) / 64
  local d = rest % 64; rest = (rest - d) / 64
  local c = rest % 64; rest = (rest - c) / 64
  local b = rest % 64
  local text = char((rest - b) / 64 + 48, b + 48, c + 48, d + 48, e + 48, f + 48, g + 48, h + 48, i + 48)
  texts[value] = text
  return text
end })

local decimal = setmetatable({}, { __index = function(texts, value)
  local text = format("%d", value)
  texts[value] = text
  return text
end })

local digits = setmetatable({}, { __index = function(texts, number)
  local width = number % 16
  local text = sub(time_text[(number - width) / 16], -width)
  texts[number] = text
  return text
end })

local function number_at(text, from, width)
  local a, b, c, d, e, f, g, h = byte(text, from, from + width - 1)
  local value = a - 48
  if b then value = value * 64 + b - 48 end
  if c then value = value * 64 + c - 48 end
  if d then value = value * 64 + d - 48 end
  if e then value = value * 64 + e - 48 end
  if f then value = value * 64 + f - 48 end
  if g then value = value * 64 + g - 48 end
  if h then value = value * 64 + h - 48 end
  return value
end

local function time_in(text, from)
  local a, b, c, d, e, f, g, h, i = byte(text, from, from + 8)
  local high = (((a - 48) * 64 + b - 48) * 64 + c - 48) * 64 + d - 48
  return ((((high * 64 + e - 48) * 64 + f - 48) * 64 + g - 48) * 64 + h - 48) * 64 + i - 48
end
`;
