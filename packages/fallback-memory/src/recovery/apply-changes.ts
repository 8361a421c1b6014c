import { defineScript, isCommandError, type Reply, type Script } from "@continuum-cache/core";

/** How long a batch that was applied is remembered at the primary, in seconds: a repetition may come after the next outage. */
export const markSeconds = 86_400;

/**
 * Applies changes once, however often they arrive. The first key is the batch's mark; the others are what is changed. The
 * arguments are the mark's life in seconds, then for each command how many words it has, its name, the number of its key
 * and the rest. Answers pairs of a command's number and what Redis had against it.
 */
export const applyChanges: Script = defineScript({
  name: "continuum-cache:apply-changes",
  keys: "any",
  lua: `
local refusals = {}
if not redis.call("SET", KEYS[1], "1", "NX", "EX", ARGV[1]) then return refusals end
local at, number = 2, 0
while at <= #ARGV do
  local words = tonumber(ARGV[at])
  local command = { ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])] }
  for word = 3, words do command[word] = ARGV[at + word] end
  local reply = redis.pcall(unpack(command))
  if type(reply) == "table" and reply.err then
    refusals[#refusals + 1] = number
    refusals[#refusals + 1] = reply.err
  end
  at = at + words + 1
  number = number + 1
end
return refusals`,
  memory({ call, keys, args }) {
    const refusals: Reply[] = [];
    if (call("SET", keys[0] ?? "", "1", "NX", "EX", args[0] ?? "") === null) return refusals;
    for (let at = 1, number = 0; at < args.length; number++) {
      const words = Number(args[at]);
      const [name, key, ...rest] = args.slice(at + 1, at + 1 + words);
      try {
        call(String(name), keys[Number(key) - 1] ?? "", ...rest);
      } catch (error) {
        if (!isCommandError(error)) throw error;
        refusals.push(number, error.message);
      }
      at += words + 1;
    }
    return refusals;
  },
});
