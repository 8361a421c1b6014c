import { compileGlob } from "@continuum-cache/core";
import { refusal } from "../refusals.ts";
import type { Bulk } from "../values/bulk.ts";

/**
 * A glob as a test of keys, fields and channels. Whatever of a key is no text counts as characters that a wildcard
 * matches and nothing else does.
 *
 * @throws CommandError when the pattern itself is no text.
 */
export function globTest(pattern: Bulk): (bulk: Bulk) => boolean {
  if (typeof pattern !== "string") throw refusal("ERR the memory backend matches patterns of text only");
  if (pattern === "*") return () => true;
  const matches = compileGlob(pattern);
  return (bulk) => matches(typeof bulk === "string" ? bulk : placeholders(bulk));
}

/** One character for each byte, so that `?` counts bytes, as it does in Redis. */
const placeholders = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : "\u0001")).join("");
