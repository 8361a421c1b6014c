// Numbers as text of a fixed width, in base 64 with the digits "0" to "o": plain ASCII, so that any way to Redis carries
// it unchanged, and in the order of the numbers. All of them are whole, at least 0 and below 2^53.

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

/** The number that stands at a place of a text. */
export function numberAt(text: string, from: number, width: number): number {
  let value = 0;
  for (let at = from; at < from + width; at++) value = value * 64 + text.charCodeAt(at) - zero;
  return value;
}

/**
 * The same in Lua, whose places count from 1. Written out, since loops take three times as long; `digits` and `number_at` are
 * for widths up to 8.
 */
export const digitsLua = `
local byte, char, sub = string.byte, string.char, string.sub
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max

local function digits_of_time(value)
  local i = value % 64; value = (value - i) / 64
  local h = value % 64; value = (value - h) / 64
  local g = value % 64; value = (value - g) / 64
  local f = value % 64; value = (value - f) / 64
  local e = value % 64; value = (value - e) / 64
  local d = value % 64; value = (value - d) / 64
  local c = value % 64; value = (value - c) / 64
  local b = value % 64
  return char((value - b) / 64 + 48, b + 48, c + 48, d + 48, e + 48, f + 48, g + 48, h + 48, i + 48)
end

local function digits(value, width) return sub(digits_of_time(value), -width) end

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

local function digits_of_count(value)
  local f = value % 64; value = (value - f) / 64
  local e = value % 64; value = (value - e) / 64
  local d = value % 64; value = (value - d) / 64
  local c = value % 64; value = (value - c) / 64
  local b = value % 64
  return char((value - b) / 64 + 48, b + 48, c + 48, d + 48, e + 48, f + 48)
end

local function count_in(text, from)
  local a, b, c, d, e, f = byte(text, from, from + 5)
  return (((((a - 48) * 64 + b - 48) * 64 + c - 48) * 64 + d - 48) * 64 + e - 48) * 64 + f - 48
end
`;
