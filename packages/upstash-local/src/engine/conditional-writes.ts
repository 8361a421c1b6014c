import type { Argument, Command } from "@continuum-cache/core";
import { xxh3 } from "../digest/xxh3.ts";
import { argumentText } from "../protocol/argument-text.ts";
import type { Translation } from "./translation.ts";

/**
 * The service has SET and DELEX with IFEQ and IFNE, and DIGEST; a Redis before 8.4 does not. A script does the same
 * there in one step. What compares digests (IFDEQ, IFDNE) goes to the Redis as it is.
 */
export const conditionalWrites: Translation = {
  rewrite(command) {
    switch (command[0]) {
      case "SET":
        return rewriteSet(command);
      case "DELEX":
        return rewriteDelete(command);
      case "DIGEST":
        return command.length === 2 ? ["GET", ...command.slice(1)] : command;
      default:
        return command;
    }
  },
  restore(original, reply) {
    const isValue = typeof reply === "string" || reply instanceof Uint8Array;
    return original[0] === "DIGEST" && isValue ? xxh3(reply) : reply;
  },
};

/** ARGV[1] is what to compare with, ARGV[2] says whether that must be equal. Returns early when the condition fails. */
const compare = (otherwise: string): string => `
local stored = redis.pcall("GET", KEYS[1])
if type(stored) == "table" then return stored end
if (stored == ARGV[1]) ~= (ARGV[2] == "IFEQ") then return ${otherwise} end`;

/** ARGV[3] says whether to return the old value, ARGV[4] is the new one, and the other options follow. */
const setLua = `${compare(`ARGV[3] == "GET" and stored`)}
local reply = redis.pcall("SET", KEYS[1], unpack(ARGV, 4))
if ARGV[3] == "GET" and not (type(reply) == "table" and reply.err) then return stored end
return reply`;

const deleteLua = `${compare("0")}
return redis.call("DEL", KEYS[1])`;

/** Refuses the comparison of a key that is no string in the words of Redis 8.4. */
const deleteStringLua = `
local kind = redis.call("TYPE", KEYS[1])["ok"]
if kind ~= "string" and kind ~= "none" then
  return redis.error_reply("ERR Key should be of string type if conditions are specified")
end${deleteLua}`;

function rewriteSet(command: Command): Command {
  const [, key, value, ...options] = command;
  const words = options.map((option) => argumentText(option).toUpperCase());
  const at = comparisonAt(words);
  const operand = options[at + 1];
  if (at < 0 || key === undefined || value === undefined || operand === undefined) return command;
  const rest = options.filter((_, index) => index !== at && index !== at + 1);
  const others = words.filter((_, index) => index !== at && index !== at + 1);
  // Two conditions contradict each other: Redis answers with a syntax error.
  if (others.includes("NX") || others.includes("XX") || comparisonAt(others) >= 0) return command;
  const kept = rest.filter((_, index) => others[index] !== "GET");
  const answer = kept.length < rest.length ? "GET" : "";
  return ["EVAL", setLua, 1, key, operand, words[at] as string, answer, value, ...kept];
}

function rewriteDelete(command: Command): Command {
  const [, key, condition, operand, ...rest] = command;
  if (key === undefined) return command;
  if (condition === undefined) return ["DEL", key];
  const name = argumentText(condition).toUpperCase();
  if (!isComparison(name) || operand === undefined || rest.length > 0) return command;
  return ["EVAL", deleteStringLua, 1, key, operand as Argument, name];
}

const isComparison = (word: string): boolean => word === "IFEQ" || word === "IFNE";

/** Where the comparison stands among the options; the words behind EX and its like are times. */
function comparisonAt(words: readonly string[]): number {
  for (let at = 0; at < words.length; at++) {
    if (isComparison(words[at] as string)) return at;
    if (/^(EX|PX|EXAT|PXAT)$/.test(words[at] as string)) at++;
  }
  return -1;
}
