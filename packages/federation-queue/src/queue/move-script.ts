import { defineScript, type Script } from "@continuum-cache/core";
import { fieldsLua, timeMs } from "./message-fields.ts";
import { group } from "./queue-keys.ts";

/**
 * Ends a lease and puts its message elsewhere: back, off, or to the dead. The old entry is gone for good, so whoever comes
 * later with its id is too late.
 *
 * KEYS: the stream of the lease, and where the message goes: a stream, or the set of delayed messages. ARGV: the entry's id,
 * delay in ms ("": it goes to a stream), then the message: as fields, or as a member of the set.
 * Returns 1, or 0 when the lease was no longer held: nothing has happened then.
 */
export const moveScript: Script = defineScript({
  name: "queue-move",
  keys: 2,
  lua: `${fieldsLua}
local from, to, id, delay = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if redis.call("XACK", from, "${group}", id) == 0 then return 0 end
redis.call("XDEL", from, id)
if delay == "" then
  redis.call("XADD", to, "*", unpack(ARGV, 3))
else
  redis.call("ZADD", to, string.format("%.0f", serverMs() + tonumber(delay)), ARGV[3])
end
return 1`,
  memory: ({ call, keys: [from = "", to = ""], args }) => {
    const [id = "", delay = "", ...message] = args.map(String);
    if (call("XACK", from, group, id) === 0) return 0;
    call("XDEL", from, id);
    if (delay === "") call("XADD", to, "*", ...message);
    else call("ZADD", to, String(timeMs(call("TIME")) + Number(delay)), message[0] ?? "");
    return 1;
  },
});
