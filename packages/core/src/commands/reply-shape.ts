import { isCommandError } from "../errors/command-error.ts";
import type { Argument, Command, Reply } from "../ports/transport.ts";

/**
 * What a command's reply looks like when Redis did not refuse it. A `?` allows null.
 *
 * - `"ok"`: the text OK. `"text"`: any text or bytes. `"integer"`: a number. `"array"`: an array of anything.
 * - `"per-argument"`: an array with one text or null for each argument; `"per-field"`: the same, after a first argument
 *   that is the key.
 * - `"pairs"`: an array of even length. `"page"`: a cursor, then an array.
 * - `"any"`: nothing is known.
 */
export type ReplyShape =
  | "any"
  | "ok"
  | "ok?"
  | "text"
  | "text?"
  | "integer"
  | "integer?"
  | "array"
  | "array?"
  | "per-argument"
  | "per-field"
  | "pairs"
  | "page";

/** The shape of a command's reply, or how to tell it from the command's options. */
export type ReplyRule = ReplyShape | ((command: Command) => ReplyShape);

/** Whether a reply can be the reply to this command. An error of Redis always can. */
export function hasShape(rule: ReplyRule, command: Command, reply: Reply): boolean {
  const shape = typeof rule === "function" ? rule(command) : rule;
  switch (shape) {
    case "any":
      return true;
    case "ok":
      return reply === "OK" || isCommandError(reply);
    case "ok?":
      return reply === "OK" || reply === null || isCommandError(reply);
    case "text":
      return isText(reply) || isCommandError(reply);
    case "text?":
      return reply === null || isText(reply) || isCommandError(reply);
    case "integer":
      return typeof reply === "number" || isCommandError(reply);
    case "integer?":
      return typeof reply === "number" || reply === null || isCommandError(reply);
    case "array":
      return Array.isArray(reply) || isCommandError(reply);
    case "array?":
      return reply === null || Array.isArray(reply) || isCommandError(reply);
    case "per-argument":
      return isTexts(reply, command.length - 1) || isCommandError(reply);
    case "per-field":
      return isTexts(reply, command.length - 2) || isCommandError(reply);
    case "pairs":
      return (Array.isArray(reply) && reply.length % 2 === 0) || isCommandError(reply);
    case "page":
      return (isArray(reply) && reply.length === 2 && Array.isArray(reply[1])) || isCommandError(reply);
  }
}

const isWord = (argument: Argument | undefined, word: string): boolean =>
  typeof argument === "string" && argument.toUpperCase() === word;

const hasWord = (command: Command, from: number, word: string): boolean =>
  command.some((argument, at) => at >= from && isWord(argument, word));

/** SET with GET answers by what was there before. */
export const setReply = (command: Command): ReplyShape =>
  command.length > 3 && hasWord(command, 3, "GET") ? "text?" : "ok?";

/** LPOP and RPOP with a count answer with an array. */
export const popReply = ({ length }: Command): ReplyShape => (length > 2 ? "array?" : "text?");

/** LPOS with COUNT answers with all positions. */
export const positionReply = (command: Command): ReplyShape => (hasWord(command, 3, "COUNT") ? "array?" : "integer?");

/** ZRANK and ZREVRANK with WITHSCORE answer with a pair. */
export const rankReply = (command: Command): ReplyShape => (hasWord(command, 3, "WITHSCORE") ? "array?" : "integer?");

/** ZADD with INCR answers with the new score. The options stand before the first score; a member may be named like one. */
export function addReply(command: Command): ReplyShape {
  for (let at = 2; at < command.length; at++) {
    if (isWord(command[at], "INCR")) return "text?";
    if (!["NX", "XX", "GT", "LT", "CH"].some((word) => isWord(command[at], word))) break;
  }
  return "integer";
}

const isArray = (reply: Reply): reply is readonly Reply[] => Array.isArray(reply);

const isText = (reply: Reply): boolean => typeof reply === "string" || reply instanceof Uint8Array;

const isTexts = (reply: Reply, count: number): boolean =>
  isArray(reply) && reply.length === count && reply.every((item) => item === null || isText(item));
