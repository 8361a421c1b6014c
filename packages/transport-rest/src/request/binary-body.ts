import type { Argument, Command } from "@continuum-cache/core";
import { isSealed, keySpecOf, streamKeysAt, textOrBytes, toTextForm } from "@continuum-cache/core/kit";
import type { Payload } from "./endpoint.ts";

/** An argument as it will travel: as text inside JSON, or as bytes that JSON can't carry. */
export type Carried = string | Uint8Array;

/** Longer request lines are refused by common servers and proxies. */
const maxPathCharacters = 8_000;

/** Bytes that are valid UTF-8 are text: the very same bytes arrive. */
export function carriedArguments(command: Command): readonly Carried[] {
  if (isText(command)) return command;
  return command.map((arg) => (arg instanceof Uint8Array ? textOrBytes(arg) : String(arg)));
}

export const isText = (args: readonly Argument[]): args is readonly string[] =>
  args.every((arg) => typeof arg === "string");

/**
 * A command with exactly one binary argument as a request of its own: what stands before the bytes as the path, the
 * bytes as the body, what follows them as the query. `undefined` when it can't be written so.
 */
export function rawBodyPost(args: readonly Carried[]): Payload | undefined {
  const at = args.findIndex((arg) => arg instanceof Uint8Array);
  const body = args[at];
  const before = args.slice(0, at);
  const after = args.slice(at + 1);
  if (!(body instanceof Uint8Array) || !isText(before) || !isText(after)) return undefined;
  const path = pathOf(before);
  const query = queryOf(after);
  if (path === undefined || query === undefined || path.length + query.length > maxPathCharacters) return undefined;
  return { path: path + query, body, contentType: "application/octet-stream" };
}

/**
 * Escaped path segments; `undefined` when one of them would not arrive: empty ones, `.` and `..` are dropped on the
 * way.
 */
export function pathOf(segments: readonly string[]): string | undefined {
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) return undefined;
  return segments.map((segment) => `/${encodeURIComponent(wellFormed(segment))}`).join("");
}

/** Half a surrogate pair is no text; as everywhere in UTF-8, a replacement character stands for it. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** `EX 60 NX` as `?EX=60&NX`: a word takes the number that follows it. */
function queryOf(args: readonly string[]): string | undefined {
  // `_token` would be taken for the caller's own.
  if (!args.every((arg) => /^[\w.-]+$/.test(arg) && arg !== "_token")) return undefined;
  const pairs: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const next = args[i + 1];
    if (next !== undefined && /^-?\d/.test(next)) {
      pairs.push(`${args[i]}=${next}`);
      i++;
    } else {
      pairs.push(`${args[i]}`);
    }
  }
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

/** The same arguments with each sealed value in its text form; a key has none, since it would be another key. */
export function withTextForms(command: Command, args: readonly Carried[]): Carried[] {
  const isKey = keyPositions(command);
  return args.map((arg, at) => (arg instanceof Uint8Array && isSealed(arg) && !isKey(at) ? toTextForm(arg) : arg));
}

/** Which of its arguments are keys. */
export function keyPositions(command: Command): (at: number) => boolean {
  switch (keySpecOf(command)) {
    case "none":
      return () => false;
    // The first argument of an unknown command may be a key.
    case "first":
    case "database":
      return (at) => at === 1;
    case "second":
      return (at) => at === 2;
    case "first-two":
      return (at) => at === 1 || at === 2;
    case "all":
      return (at) => at >= 1;
    case "every-second":
      return (at) => at % 2 === 1;
    case "numkeys":
      return (at) => at >= 3 && at < 3 + (Number(command[2]) || 0);
    case "after-streams": {
      const [start, end] = streamKeysAt(command);
      return (at) => at >= start && at < end;
    }
  }
}
