import { serverTimeLua, sha1 } from "@continuum-cache/core/kit";

// A hybrid timestamp is a number: milliseconds since 1970 times 1,024, plus a count within the millisecond. It stays an
// exact whole number until the year 2248, here, in Lua, and in JSON.

export const ticksPerMs = 1_024;

/** When a key was written last. The tiebreaker decides between two origins that wrote in the same instant. */
export interface HybridTimestamp {
  readonly at: number;
  readonly tiebreaker: number;
}

/** An arbitrary number for an origin, the same everywhere. */
export const tiebreakerOf = (origin: string): number => Number.parseInt(sha1(origin).slice(0, 13), 16);

export const isLater = (one: HybridTimestamp, other: HybridTimestamp): boolean =>
  one.at > other.at || (one.at === other.at && one.tiebreaker > other.tiebreaker);

export const writeTimestamp = ({ at, tiebreaker }: HybridTimestamp): string => `${at} ${tiebreaker}`;

/** A text that cannot be read counts as never. */
export function readTimestamp(text: unknown): HybridTimestamp {
  const found = typeof text === "string" ? /^(\d+) (\d+)$/.exec(text) : null;
  return { at: Number(found?.[1] ?? 0), tiebreaker: Number(found?.[2] ?? 0) };
}

/** The Lua prelude of the federation's scripts: the functions above. */
export const timestampLua: string = `${serverTimeLua}
local function timestamp(text)
  local at, tiebreaker = string.match(text or "", "^(%d+) (%d+)$")
  return tonumber(at or 0), tonumber(tiebreaker or 0)
end
local function isLater(at, tiebreaker, text)
  local atHere, tiebreakerHere = timestamp(text)
  return tonumber(at) > atHere or (tonumber(at) == atHere and tonumber(tiebreaker) > tiebreakerHere)
end`;
