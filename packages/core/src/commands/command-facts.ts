import { isCommandError } from "../errors/command-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Argument, Command, Reply } from "../ports/transport.ts";
import { type CommandFacts, commandTable, type KeySpec, type ReplyRule, unknown } from "./command-table.ts";

/** What is known of a command; the most careful assumption for one that is not in the table. */
export function factsOf(command: Command): CommandFacts {
  return commandTable.get(command[0]) ?? commandTable.get(command[0].toUpperCase()) ?? unknown;
}

/**
 * Whether a reply can be the reply to this command: a number for DEL, an array of two for an MGET of two keys. When it
 * cannot, the connection is out of step, and no reply that comes on it can be trusted.
 */
export function isPossibleReply(command: Command, reply: Reply): boolean {
  return hasShape(factsOf(command).reply, command, reply) || isCommandError(reply);
}

function hasShape(rule: ReplyRule, command: Command, reply: Reply): boolean {
  const shape = typeof rule === "function" ? rule(command) : rule;
  switch (shape) {
    case "any":
      return true;
    case "ok":
      return reply === "OK";
    case "ok?":
      return reply === "OK" || reply === null;
    case "text":
      return isText(reply);
    case "text?":
      return reply === null || isText(reply);
    case "integer":
      return typeof reply === "number";
    case "integer?":
      return typeof reply === "number" || reply === null;
    case "array":
      return Array.isArray(reply);
    case "array?":
      return reply === null || Array.isArray(reply);
    case "per-argument":
      return isTexts(reply, command.length - 1);
    case "per-field":
      return isTexts(reply, command.length - 2);
    case "pairs":
      return Array.isArray(reply) && reply.length % 2 === 0;
    case "page":
      return isArray(reply) && reply.length === 2 && Array.isArray(reply[1]);
  }
}

const isArray = (reply: Reply): reply is readonly Reply[] => Array.isArray(reply);

const isText = (reply: Reply): boolean => typeof reply === "string" || reply instanceof Uint8Array;

const isTexts = (reply: Reply, count: number): boolean =>
  isArray(reply) && reply.length === count && reply.every((item) => item === null || isText(item));

/** Whether a command changes what is stored. */
export function isWrite(command: Command): boolean {
  return factsOf(command).write;
}

/** Whether a command may arrive twice without harm. */
export function isRepeatable(command: Command): boolean {
  const { repeatable } = factsOf(command);
  return typeof repeatable === "function" ? repeatable(command.slice(1) as Argument[]) : repeatable;
}

/** Whether a command leaves nothing of what stood under its keys. */
export function isReplacing(command: Command): boolean {
  const { replaces } = factsOf(command);
  return typeof replaces === "function" ? replaces(command.slice(1) as Argument[]) : replaces;
}

/**
 * Whether a whole trip may arrive twice without harm: each of its commands may, and none reads what a later one writes,
 * since the second time it would be answered by its own trip.
 */
export function isRepeatableTrip(commands: readonly Command[]): boolean {
  if (!commands.every(isRepeatable)) return false;
  const read = new TextMap<true>();
  for (const command of commands) {
    const keys = keysOf(command);
    if (!isWrite(command)) for (const key of keys === "database" ? [anyKey] : keys) read.set(key, true);
    else if (keys === "database" ? read.size > 0 : read.has(anyKey) || keys.some((key) => read.has(key))) return false;
  }
  return true;
}

/** Stands for all keys; no text has half a surrogate pair. */
const anyKey = "\ud800";

/** Which of a command's arguments are keys. */
export function keySpecOf(command: Command): KeySpec {
  const { keys } = factsOf(command);
  return typeof keys === "function" ? keys(command.slice(1) as Argument[]) : keys;
}

/** The keys that a command touches, or `"database"` when it may touch any. */
export function keysOf(command: Command): readonly string[] | "database" {
  switch (keySpecOf(command)) {
    case "none":
      return [];
    case "first":
      return command.length > 1 ? [text(command[1])] : [];
    case "second":
      return command.length > 2 ? [text(command[2])] : [];
    case "first-two":
      return command.slice(1, 3).map(text);
    case "all":
      return command.slice(1).map(text);
    case "every-second":
      return command
        .slice(1)
        .filter((_, index) => index % 2 === 0)
        .map(text);
    case "numkeys":
      return command.slice(3, 3 + (Number(command[2]) || 0)).map(text);
    case "after-streams":
      return command.slice(...streamKeysAt(command)).map(text);
    case "database":
      return "database";
  }
}

/** How many words each option before STREAMS takes along. A group or a consumer may well be named like one of them. */
const streamOptions: ReadonlyMap<string, number> = new Map([
  ["COUNT", 1],
  ["BLOCK", 1],
  ["GROUP", 2],
  ["NOACK", 0],
]);

/**
 * From which word of XREAD or XREADGROUP to which the keys are: half of what follows STREAMS; none where that is
 * missing.
 */
export function streamKeysAt(command: Command): readonly [start: number, end: number] {
  for (let at = 1; at < command.length; at++) {
    const option = text(command[at]).toUpperCase();
    if (option === "STREAMS") return [at + 1, at + 1 + Math.floor((command.length - at - 1) / 2)];
    const taken = streamOptions.get(option);
    if (taken === undefined) break;
    at += taken;
  }
  return [0, 0];
}

const decoder = new TextDecoder();
const text = (arg: Argument | undefined): string => (arg instanceof Uint8Array ? decoder.decode(arg) : String(arg));
