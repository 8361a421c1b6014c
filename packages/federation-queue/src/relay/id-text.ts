/**
 * Whether one id, as Redis writes it, comes after another. Compares texts, so that ids of any size keep their order.
 */
export function isAfterId(one: string, other: string): boolean {
  const [ms = "", seq = ""] = one.split("-");
  const [otherMs = "", otherSeq = ""] = other.split("-");
  return ms === otherMs ? isMore(seq, otherSeq) : isMore(ms, otherMs);
}

const isMore = (one: string, other: string): boolean =>
  one.length === other.length ? one > other : one.length > other.length;

/** The same for scripts. */
export const idTextLua = `
local function isMore(one, other)
  if #one == #other then return one > other end
  return #one > #other
end
local function isAfterId(one, other)
  local ms, seq = string.match(one, "^(%d+)%-(%d+)$")
  local otherMs, otherSeq = string.match(other, "^(%d+)%-(%d+)$")
  if ms == otherMs then return isMore(seq, otherSeq) end
  return isMore(ms, otherMs)
end`;
