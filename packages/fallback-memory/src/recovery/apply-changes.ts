import { type Argument, isCommandError, type Reply } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext } from "@continuum-cache/core/kit";

/**
 * How long the primary keeps the mark of an applied batch, in seconds: the repetition may come after the next outage.
 */
export const markSeconds = 86_400;

/**
 * Applies the commands of a batch once, however often the batch arrives. KEYS[1] is the mark of the batch; the others
 * are the changed keys. ARGV[1] is the life of the mark in seconds. Then for each command: the number of its
 * arguments, its name (with its subcommand if there is one), the index of its key, the position of the argument to
 * replace if Redis refuses the command (0 for none), the replacement, and the arguments. Returns pairs of a command's
 * number and Redis' error message.
 */
export const applyChanges: Script = defineScript({
  name: "continuum-cache:apply-changes",
  keys: "any",
  lua: `
local refusals = {}
if not redis.call("SET", KEYS[1], "1", "NX", "EX", ARGV[1]) then return refusals end
local function refusal(reply) return type(reply) == "table" and reply.err end
local at, number = 2, 0
while at <= #ARGV do
  local count, place, other = tonumber(ARGV[at]), tonumber(ARGV[at + 3]), ARGV[at + 4]
  local command = {}
  for name in string.gmatch(ARGV[at + 1], "%S+") do command[#command + 1] = name end
  command[#command + 1] = KEYS[tonumber(ARGV[at + 2])]
  local before = #command
  for word = 1, count do command[before + word] = ARGV[at + 4 + word] end
  local reply = redis.pcall(unpack(command))
  if place > 0 and refusal(reply) then
    command[before + place] = other
    reply = redis.pcall(unpack(command))
  end
  if refusal(reply) then
    refusals[#refusals + 1] = number
    refusals[#refusals + 1] = reply.err
  end
  at = at + 5 + count
  number = number + 1
end
return refusals`,
  memory({ call, keys, args }) {
    const refusals: Reply[] = [];
    if (call("SET", keys[0] ?? "", "1", "NX", "EX", args[0] ?? "") === null) return refusals;
    for (let at = 1, number = 0; at < args.length; number++) {
      const [count, name, key, place, other = ""] = args.slice(at, at + 5);
      const words = args.slice(at + 5, at + 5 + Number(count));
      const command = (): Argument[] => [...String(name).split(" ").slice(1), keys[Number(key) - 1] ?? "", ...words];
      const run = (): string | undefined => refusalOf(call, String(name).split(" ")[0] ?? "", command());
      let refusal = run();
      if (refusal !== undefined && Number(place) > 0) {
        words[Number(place) - 1] = other;
        refusal = run();
      }
      if (refusal !== undefined) refusals.push(number, refusal);
      at += 5 + words.length;
    }
    return refusals;
  },
});

function refusalOf(call: ScriptContext["call"], name: string, args: readonly Argument[]): string | undefined {
  try {
    call(name, ...args);
    return undefined;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return error.message;
  }
}
