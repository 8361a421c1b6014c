import { defineScript, isCommandError, type Reply, type Script, type ScriptContext } from "@continuum-cache/core";

/**
 * Pushes many plain messages to one stream, in order. What Redis refuses ends it: the messages before it are in the stream,
 * those behind it are not.
 *
 * KEYS: the stream. ARGV: least id that is kept ("": no matter), then id and text of each message.
 * Returns the entries' ids; behind them, if one was refused, "-" and why.
 */
export const pushManyScript: Script = defineScript({
  name: "queue-push-many",
  keys: 1,
  lua: `local key, floor, ids = KEYS[1], ARGV[1], {}
for at = 2, #ARGV, 2 do
  local id
  if floor ~= "" and at == 2 then
    id = redis.pcall("XADD", key, "MINID", "~", floor, "*", "i", ARGV[at], "e", ARGV[at + 1])
  else
    id = redis.pcall("XADD", key, "*", "i", ARGV[at], "e", ARGV[at + 1])
  end
  if type(id) == "table" then
    ids[#ids + 1] = "-" .. id.err
    return ids
  end
  ids[#ids + 1] = id
end
return ids`,
  memory: pushMany,
});

function pushMany({ call, keys: [key = ""], args }: ScriptContext): Reply {
  const [floor = "", ...words] = args.map(String);
  const ids: Reply[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const trim = floor !== "" && at === 0 ? ["MINID", "~", floor] : [];
    try {
      ids.push(call("XADD", key, ...trim, "*", "i", words[at] ?? "", "e", words[at + 1] ?? ""));
    } catch (error) {
      if (!isCommandError(error)) throw error;
      ids.push(`-${error.message}`);
      break;
    }
  }
  return ids;
}
