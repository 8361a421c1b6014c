import { isUtf8 } from "node:buffer";
import type { Argument } from "@continuum-cache/core";

/** Bytes as an argument: text where they are valid UTF-8, since text is sent as the same bytes; otherwise bytes. */
export function fromBytes(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes;
}

/** An argument as text, to compare with words of a command's syntax. Bytes that are no text match none. */
export function argumentText(argument: Argument | undefined): string {
  if (argument === undefined) return "";
  return argument instanceof Uint8Array ? Buffer.from(argument).toString("utf8") : String(argument);
}

export const argumentBytes = (argument: Argument): number =>
  argument instanceof Uint8Array ? argument.byteLength : Buffer.byteLength(String(argument));
