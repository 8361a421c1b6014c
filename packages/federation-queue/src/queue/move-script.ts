import type { Command, Reply } from "@continuum-cache/core";
import { defineScript, type Script, serverTimeMs } from "@continuum-cache/core/kit";
import { group } from "./settings.ts";

/** Where a message goes when its lease ends, and in which form. */
export interface Move {
  /** The key of a stream, or of the set of delayed messages. */
  readonly to: string;
  /** Undefined: it goes to a stream. */
  readonly delayMs: number | undefined;
  /** The message as fields, or as a member of the set. */
  readonly words: readonly string[];
  /** The size of the words, roughly. */
  readonly bytes: number;
}

/**
 * Ends leases and moves their messages to another key. The old entries are deleted, so that a late settlement of their
 * ids fails: this is the fence. The message is added first: if Redis refuses that (wrong type, out of memory), it stays
 * where it was.
 *
 * KEYS: the stream of the leases, and the target: a stream, or the set of delayed messages. ARGV: for each message the
 * entry's id, its delay in ms ("": the target is a stream), the number of words, then the words: its fields, or its
 * member. Returns 1 for each message, or 0 if its lease was no longer held: then the message is unchanged.
 */
export const moveScript: Script = defineScript({
  name: "queue-move",
  keys: 2,
  lua: `local from, to, at, moved, now = KEYS[1], KEYS[2], 1, {}, nil
while ARGV[at] do
  local id, delay, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local first = at + 3
  at = first + count
  local put
  if delay == "" then
    put = redis.call("XADD", to, "*", unpack(ARGV, first, at - 1))
  else
    if not now then
      local t = redis.call("TIME")
      now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
    end
    put = redis.call("ZADD", to, "NX", string.format("%.0f", now + tonumber(delay)), ARGV[first])
  end
  if redis.call("XACK", from, "${group}", id) == 1 then
    redis.call("XDEL", from, id)
    moved[#moved + 1] = 1
  else
    if delay == "" then redis.call("XDEL", to, put)
    elseif put == 1 then redis.call("ZREM", to, ARGV[first]) end
    moved[#moved + 1] = 0
  end
end
return moved`,
  memory: ({ call, keys: [from = "", to = ""], args }) => {
    const words = args.map(String);
    const moved: Reply[] = [];
    let nowMs: number | undefined;
    for (let at = 0; at < words.length; ) {
      const [id = "", delay = "", count = "0"] = words.slice(at, at + 3);
      const message = words.slice(at + 3, at + 3 + Number(count));
      at += 3 + Number(count);
      let put: Reply;
      if (delay === "") {
        put = call("XADD", to, "*", ...message);
      } else {
        nowMs ??= serverTimeMs(call("TIME"));
        put = call("ZADD", to, "NX", String(nowMs + Number(delay)), message[0] ?? "");
      }
      const isHeld = call("XACK", from, group, id) === 1;
      moved.push(isHeld ? 1 : 0);
      if (isHeld) call("XDEL", from, id);
      else if (delay === "") call("XDEL", to, String(put));
      else if (put === 1) call("ZREM", to, message[0] ?? "");
    }
    return moved;
  },
});

/** By the script's text, which is short: an unknown script would need another round trip. */
export function moveCommand(
  from: string,
  to: string,
  moves: readonly (Pick<Move, "delayMs" | "words"> & { readonly entryId: string })[],
): Command {
  const args = moves.flatMap(({ entryId, delayMs = "", words }) => [entryId, delayMs, words.length, ...words]);
  return ["EVAL", moveScript.lua, 2, from, to, ...args];
}
