import { isUtf8 } from "node:buffer";
import type { Command } from "@continuum-cache/core";
import { quoteNumbers } from "./json-numbers.ts";
import { RequestError } from "./request-error.ts";
import { parseErrors } from "./service-texts.ts";

/** One command of a list; `undefined` where an empty array stood. */
export type ListedCommand = Command | undefined;

/** @throws RequestError 400 when the body is not one JSON array of plain values. */
export function parseCommand(body: Buffer): Command {
  const { malformed, empty } = parseErrors.command;
  const command = commandOf(parse(body, malformed), malformed);
  if (!command) throw new RequestError(400, empty);
  return command;
}

/** @throws RequestError 400 when the body is not a JSON array of such arrays. */
export function parseCommandList(body: Buffer, form: "pipeline" | "transaction"): ListedCommand[] {
  const { malformed, empty } = parseErrors[form];
  const list = parse(body, malformed);
  if (!Array.isArray(list)) throw new RequestError(400, malformed);
  if (list.length === 0) throw new RequestError(400, empty);
  return list.map((value) => commandOf(value, malformed));
}

function parse(body: Buffer, malformed: string): unknown {
  // Decoding bytes that are no text would store something else than was sent.
  if (!isUtf8(body)) throw new RequestError(400, malformed);
  try {
    const text = body.toString("utf8");
    const value: unknown = JSON.parse(text);
    return hasNumber(value) ? JSON.parse(quoteNumbers(text)) : value;
  } catch {
    // Not the cause: a parser's error quotes what it read.
    throw new RequestError(400, malformed);
  }
}

/** Looks two levels deep, as deep as a list of commands goes. */
function hasNumber(value: unknown): boolean {
  const isNumber = (each: unknown): boolean => typeof each === "number";
  return Array.isArray(value) && value.some((each) => (Array.isArray(each) ? each.some(isNumber) : isNumber(each)));
}

function commandOf(value: unknown, malformed: string): ListedCommand {
  if (!Array.isArray(value)) throw new RequestError(400, malformed);
  const [name, ...args] = value.map((argument: unknown) => {
    if (typeof argument === "string") return argument;
    // The official client sends both for a caller's `true` and `undefined`.
    if (typeof argument === "boolean" || argument === null) return String(argument);
    throw new RequestError(400, malformed);
  });
  return name === undefined ? undefined : [name, ...args];
}
