import { isUtf8 } from "node:buffer";
import type { Command } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";
import { quoteNumbers, sizeOfJson } from "./json-text.ts";
import { parseErrors, tooManyCommands } from "./service-texts.ts";

/** One command of a list; `undefined` for an empty array. */
export type ListedCommand = Command | undefined;

/** The most arguments of all commands of a request together. Redis takes as many in one command. */
const maxArguments = 1 << 20;

/** @throws RequestError 400 when the body is not one JSON array of plain values. */
export function parseCommand(body: Buffer): Command {
  const { malformed, empty } = parseErrors.command;
  const command = commandOf(parse(body, { malformed, depth: 1, inner: 0 }), malformed);
  if (!command) throw new RequestError(400, empty);
  return command;
}

/** @throws RequestError 400 when the body is not a JSON array of such arrays, 413 when there are too many of them. */
export function parseCommandList(body: Buffer, form: "pipeline" | "transaction", maxCommands: number): ListedCommand[] {
  const { malformed, empty } = parseErrors[form];
  const list = parse(body, { malformed, depth: 2, inner: maxCommands });
  if (!Array.isArray(list)) throw new RequestError(400, malformed);
  if (list.length === 0) throw new RequestError(400, empty);
  return list.map((value) => commandOf(value, malformed));
}

/** The bounds of a body. */
interface Bounds {
  readonly malformed: string;
  readonly depth: number;
  readonly inner: number;
}

/** Counts before it parses: a hostile body may take a hundred times its size when it is parsed. */
function parse(body: Buffer, { malformed, depth, inner }: Bounds): unknown {
  // Decoding bytes that are no text would store other bytes than were sent.
  if (!isUtf8(body)) throw new RequestError(400, malformed);
  const text = body.toString("utf8");
  const size = sizeOfJson(text);
  if (size.depth > depth || size.values > maxArguments) throw new RequestError(400, malformed);
  if (size.inner > inner) throw new RequestError(413, tooManyCommands(inner, size.inner));
  try {
    const value: unknown = JSON.parse(text);
    return size.hasNumber ? JSON.parse(quoteNumbers(text)) : value;
  } catch {
    // Without the cause: a parser's error quotes the body.
    throw new RequestError(400, malformed);
  }
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
