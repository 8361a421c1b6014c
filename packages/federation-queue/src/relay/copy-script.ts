import { type Argument, defineScript, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";
import { registryLua } from "../log/registry.ts";
import { lastIdOf } from "../log/stream.ts";
import { idTextLua, isAfterId } from "./id-text.ts";

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
