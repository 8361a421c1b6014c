import { isCommandError, type Reply } from "@continuum-cache/core";
import { serverTimeLua } from "@continuum-cache/core/kit";

/**
 * A message as the fields of an entry: `i` id, `e` the event's text. The others are written only if they differ from
 * their default: `f` failures (0), `c` crashes (0), `t` when it was pushed, in ms (the entry's own time), `w` since
 * when it waits, in ms (`t`, or the end of its delay), `p` priority (the stream's), `r` why it is a dead letter, `d`
 * the last error's message.
 */
export interface MessageFields {
  readonly i: string;
  readonly e: string;
  readonly f: string;
  readonly c: string;
  readonly t: string;
  readonly w?: string | undefined;
  readonly p?: string | undefined;
  readonly r?: string | undefined;
  readonly d?: string | undefined;
}

/** An entry of a stream as Redis answers it. */
export type StreamEntry = readonly [id: string, fields: readonly Reply[] | null];

/** After `i` and `e`, which each entry has. */
const order = ["f", "c", "t", "w", "p", "r", "d"] as const;

export function readFields([entryId, words]: StreamEntry): MessageFields {
  const ownMs = entryId.slice(0, entryId.indexOf("-"));
  // Nearly all messages have only these fields.
  if (words?.length === 4 && words[0] === "i" && words[2] === "e" && isNumber(ownMs, 15)) {
    return { i: String(words[1]), e: String(words[3]), f: "0", c: "0", t: ownMs, w: undefined };
  }
  const fields = { i: "", e: "", f: "0", c: "0", t: "" };
  const found: Record<string, string> = fields;
  for (let at = 0; words && at + 1 < words.length; at += 2) found[String(words[at])] = String(words[at + 1]);
  return checked(fields, ownMs);
}

/** An entry of another program may contain anything. A message without a valid count would be retried forever. */
function checked(fields: MessageFields, ownMs: string): MessageFields {
  const { f, c, t, w } = fields;
  return {
    ...fields,
    f: isNumber(f, 9) ? f : "0",
    c: isNumber(c, 9) ? c : "0",
    t: isNumber(t, 15) ? t : isNumber(ownMs, 15) ? ownMs : "0",
    w: w !== undefined && isNumber(w, 15) ? w : undefined,
  };
}

const isNumber = (text: string, digits: number): boolean => text.length <= digits && /^\d+$/.test(text);

/** The fields as words of XADD. */
export function writeFields(fields: Partial<MessageFields> & Pick<MessageFields, "i" | "e">): string[] {
  const words = ["i", fields.i, "e", fields.e];
  for (const letter of order) {
    const value = fields[letter];
    const isPlain = value === undefined || value === "" || ((letter === "f" || letter === "c") && value === "0");
    if (!isPlain) words.push(letter, value);
  }
  return words;
}

/**
 * A delayed message as a member of a sorted set: its due time is the score. A negative `t` is the delay of a push
 * instead of its time, so that a repeated push is the same member.
 */
export function packDelayed(fields: Partial<MessageFields> & Pick<MessageFields, "i" | "e" | "p">): string {
  const { i, p = "", f = "0", c = "0", t = "", w = "", d = "", e } = fields;
  return [i, p, f, c, t, w, d, e].join("\n");
}

export function unpackDelayed(member: string, dueMs: string): MessageFields | undefined {
  const [i, p, f, c, t, w, d, ...rest] = member.split("\n");
  if (i === undefined || p === undefined || f === undefined || c === undefined || t === undefined) return undefined;
  if (rest.length === 0) return undefined;
  const e = rest.join("\n");
  const asked = /^-(\d{1,15})$/.exec(t)?.[1];
  const fields = asked === undefined ? { t, w } : { t: String(Number(dueMs) - Number(asked)), w: dueMs };
  return checked({ i, e, f, c, p, d, ...fields }, dueMs);
}

/** The same for scripts: `read(entry)`, `words(message)`, `unpacked(member, due)`. */
export const fieldsLua: string = `${serverTimeLua}
local function isNumber(text, digits)
  return text and #text <= digits and string.match(text, "^%d+$")
end
local function checked(m, own)
  if not isNumber(m.f, 9) then m.f = "0" end
  if not isNumber(m.c, 9) then m.c = "0" end
  if not isNumber(m.t, 15) then m.t = isNumber(own, 15) and own or "0" end
  if not isNumber(m.w, 15) then m.w = nil end
  return m
end
local function read(entry)
  local m = {i = "", e = ""}
  for n = 1, #entry[2] - 1, 2 do m[entry[2][n]] = entry[2][n + 1] end
  return checked(m, string.match(entry[1], "^%d+"))
end
local function words(m)
  local all = {"i", m.i, "e", m.e}
  for _, letter in ipairs({"f", "c", "t", "w", "p", "r", "d"}) do
    local value = m[letter]
    if value and value ~= "" and not ((letter == "f" or letter == "c") and value == "0") then
      all[#all + 1] = letter
      all[#all + 1] = value
    end
  end
  return all
end
local function unpacked(member, due)
  local part = "([^\\n]*)\\n"
  local i, p, f, c, t, w, d, e = string.match(member, "^" .. string.rep(part, 7) .. "(.*)$")
  if not i then return nil end
  local asked = string.match(t, "^%-(%d+)$")
  if isNumber(asked, 15) then
    t, w = whole(tonumber(due) - tonumber(asked)), due
  end
  return checked({i = i, e = e, f = f, c = c, t = t, w = w, p = p, d = d}, due)
end
`;

/** The milliseconds in an entry's id. */
export const entryMs = (entryId: string): number => Number(entryId.slice(0, entryId.indexOf("-")));

/** Whether an entry stands after another. */
export function isLater(entryId: string, other: string): boolean {
  const [ms = 0, seq = 0] = entryId.split("-").map(Number);
  const [otherMs = 0, otherSeq = 0] = other.split("-").map(Number);
  return ms > otherMs || (ms === otherMs && seq > otherSeq);
}

/** One row of an XINFO reply. */
export type InfoRow = Readonly<Record<string, Reply>>;

/** The rows of an XINFO GROUPS or CONSUMERS reply; none if there is no such stream or group. */
export function infoRows(reply: Reply | undefined): readonly InfoRow[] {
  if (!Array.isArray(reply)) return [];
  return (reply as readonly (readonly Reply[])[]).map((words) =>
    Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[String(word), words[at + 1] ?? null]] : []))),
  );
}

/** The same for a call that throws if there is no such stream or group. */
export function rowsOf(call: () => Reply): readonly InfoRow[] {
  try {
    return infoRows(call());
  } catch (error) {
    if (isCommandError(error)) return [];
    throw error;
  }
}
