import { sha1 } from "@continuum-cache/core/kit";

// A stamp says when something was written: milliseconds since 1970 times 1,024, and a count within the millisecond. It is a
// whole number that stays exact until the year 2248, here, in Lua, and in JSON.

export const stampsPerMs = 1_024;

/** Tells which of two origins wins that have written in the same instant: by no merit, but everywhere the same. */
export const tieOf = (origin: string): number => Number.parseInt(sha1(origin).slice(0, 13), 16);

/** When a key was written last, as its clock's key holds it. */
export interface Stamped {
  readonly at: number;
  readonly tie: number;
}

export const isLater = (one: Stamped, other: Stamped): boolean =>
  one.at > other.at || (one.at === other.at && one.tie > other.tie);

export function readStamped(text: unknown): Stamped {
  const found = typeof text === "string" ? /^(\d+) (\d+)$/.exec(text) : null;
  return { at: Number(found?.[1] ?? 0), tie: Number(found?.[2] ?? 0) };
}

/** The same, for scripts. */
export const stampLua = `
local function stamped(text)
  local at, tie = string.match(text or "", "^(%d+) (%d+)$")
  return tonumber(at or 0), tonumber(tie or 0)
end
local function whole(n) return string.format("%.0f", n) end`;
