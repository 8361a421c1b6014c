import type { Argument, Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext } from "@continuum-cache/core/kit";
import { noHolder, readRegistered, registryLua, writeRegistered } from "../log/registry.ts";
import { lastIdOf, laterOf, noId, parseId } from "../log/stream.ts";

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
const idTextLua = `
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

/**
 * Appends entries of another database as they are, but only those behind all that the stream has ever had. An event
 * that returns to its origin, or arrives by two ways, ends here.
 *
 * KEYS: the stream. ARGV: the id that the relay believes to be the last, or one before; the least time in ms to keep
 * ("" trims nothing); the id that the stream ends with at the source when its last entries are gone (""); then of each
 * entry its id, how many words it has, and these. Returns "copied", how many were added, and the last id now; or, when
 * the stream ends before what the relay believes, so that there would be a hole, "back" and the last id.
 */
export const copyScript: Script = defineScript({
  name: "relay-copy",
  keys: 1,
  lua: `${registryLua}${idTextLua}
local stream, after, floor, finish = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local last, failure = lastOf(stream)
if failure then return failure end
if isAfterId(after, last) then return {"back", last} end
local added, n = 0, 4
while n <= #ARGV do
  local id, words = ARGV[n], tonumber(ARGV[n + 1])
  if isAfterId(id, last) then
    local entry = {"XADD", stream}
    if added == 0 and floor ~= "" then entry = {"XADD", stream, "MINID", "~", floor} end
    entry[#entry + 1] = id
    for w = n + 2, n + 1 + words do entry[#entry + 1] = ARGV[w] end
    redis.call(unpack(entry))
    last = id
    added = added + 1
  end
  n = n + 2 + words
end
if finish ~= "" and isAfterId(finish, last) then
  redis.call("XADD", stream, finish, "gone", "")
  redis.call("XDEL", stream, finish)
  last = finish
end
return {"copied", added, last}`,
  memory: copy,
});

function copy({ call, keys: [stream = ""], args }: ScriptContext): Reply {
  const [after = "", floor = "", finish = ""] = args.slice(0, 3).map(String);
  let last = lastIdOf(() => call("XINFO", "STREAM", stream));
  if (isAfterId(after, last)) return ["back", last];
  let added = 0;
  for (let at = 3; at < args.length; ) {
    const id = String(args[at]);
    const end = at + 2 + Number(args[at + 1]);
    if (isAfterId(id, last)) {
      const trim: readonly Argument[] = added === 0 && floor !== "" ? ["MINID", "~", floor] : [];
      call("XADD", stream, ...trim, id, ...args.slice(at + 2, end));
      last = id;
      added++;
    }
    at = end;
  }
  if (finish !== "" && isAfterId(finish, last)) {
    call("XADD", stream, finish, "gone", "");
    call("XDEL", stream, finish);
    last = finish;
  }
  return ["copied", added, last];
}

/**
 * The outcome of a copy. `isBack`: the destination's stream ends before the id that the relay believes to be the last.
 */
export interface CopyAnswer {
  readonly isBack: boolean;
  readonly added: number;
  readonly last: string;
}

export function readCopyAnswer(reply: Reply): CopyAnswer {
  const [kind, first, second] = reply as readonly Reply[];
  if (kind === "back") return { isBack: true, added: 0, last: String(first) };
  return { isBack: false, added: Number(first), last: String(second) };
}

/**
 * Registers an origin at the destination without taking its name. Readers there find it, and look at its stream again
 * after its name was taken anew at the source, or after the end of its stream was lost there.
 *
 * KEYS: the registry. ARGV: origin, since when its name is held at the source, the last id that the source knows.
 * Returns 1, or 0 when a process at the destination holds the name, or held it later.
 */
export const registerScript: Script = defineScript({
  name: "relay-register",
  keys: 1,
  lua: `${registryLua}
local registry, origin, since, last = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local holder, sinceHere, _, lastHere = registered(redis.call("HGET", registry, origin))
if holder ~= "-" or sinceHere > since then return 0 end
redis.call("HSET", registry, origin, table.concat({"-", whole(since), "0", laterOf(last, lastHere)}, " "))
return 1`,
  memory: ({ call, keys: [registry = ""], args }) => {
    const [origin = "", since = "", known = ""] = args.map(String);
    const here = readRegistered(call("HGET", registry, origin));
    const sinceMs = Number(since);
    if (here.holder !== noHolder || here.sinceMs > sinceMs) return 0;
    const there = parseId(known) ?? noId;
    const last = laterOf(there, here.last);
    call("HSET", registry, origin, writeRegistered({ holder: noHolder, sinceMs, untilMs: 0, last }));
    return 1;
  },
});
