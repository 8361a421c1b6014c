import type { Argument } from "@continuum-cache/core";
import { textOrBytes } from "@continuum-cache/core/kit";

/**
 * A bulk string in its one stored form: text when its bytes are valid UTF-8, the bytes otherwise. So two bulks are
 * equal exactly when their bytes are.
 */
export type Bulk = string | Uint8Array;

interface NodeBuffer {
  byteLength(text: string): number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** ES2023's types lack this one of the platform. */
const { isWellFormed: ofPlatform } = "" as string & { isWellFormed(this: string): boolean };
/** Whether a text has no half of a surrogate pair: then it is its own bulk, and its own id. */
export const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(ofPlatform);
const { Buffer: nodeBuffer } = globalThis as { Buffer?: NodeBuffer };

/**
 * An argument as it is stored. Bytes are copied, so later changes of the caller's array have no effect; a lone
 * surrogate becomes U+FFFD, as in its UTF-8.
 *
 * @throws TypeError when it is no valid argument.
 */
export function toBulk(argument: Argument): Bulk {
  if (typeof argument === "string") {
    return isWellFormed(argument) ? argument : decoder.decode(encoder.encode(argument));
  }
  if (typeof argument === "number") return String(argument);
  if (argument instanceof Uint8Array) return bulkOf(argument.slice());
  throw new TypeError(
    "Expected each argument to be a string, a number or a Uint8Array, " +
      `got ${argument === null ? "null" : typeof argument}`,
  );
}

/** Bytes as a bulk. They are not copied, so the caller must not keep them. */
export function bulkOf(bytes: Uint8Array): Bulk {
  return textOrBytes(bytes);
}

/** The bytes of a bulk. Do not change them. */
export function bytesOf(bulk: Bulk): Uint8Array {
  return typeof bulk === "string" ? encoder.encode(bulk) : bulk;
}

/** A bulk for a caller, who may change it: bytes are copied. */
export function handOut(bulk: Bulk): Bulk {
  return typeof bulk === "string" ? bulk : bulk.slice();
}

/** The length of a bulk in bytes. */
export function byteLength(bulk: Bulk): number {
  if (typeof bulk !== "string") return bulk.length;
  return nodeBuffer ? nodeBuffer.byteLength(bulk) : utf8Length(bulk);
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // A surrogate pair is two units and four bytes, so each half counts two.
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

/** What a byte array counts on top of its length: an object with a buffer. */
export const bytesOverheadBytes = 192;

/** What a bulk counts towards the limit. @param length - Its length in bytes, if it is known. */
export function footprint(bulk: Bulk, length: number = byteLength(bulk)): number {
  return length + (typeof bulk === "string" ? 0 : bytesOverheadBytes);
}

/** As a word of a command's syntax: upper case, or "" when it is no text. */
export function word(bulk: Bulk | undefined): string {
  return typeof bulk === "string" ? bulk.toUpperCase() : "";
}

/** A bulk in a message for people; it ends at a NUL, as texts in C do. */
export function legible(bulk: Bulk): string {
  const text = typeof bulk === "string" ? bulk : decoder.decode(bulk);
  return text.split("\0", 1)[0] ?? "";
}

/** Whether two bulks are the same bytes. */
export function sameBulk(a: Bulk, b: Bulk): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** What no well-formed text begins with. */
const bytesMark = "\uDC00";

/** A bulk as the key of a `Map`: text stands for itself, bytes for a string that no text can be. */
export function idOf(bulk: Bulk): string {
  if (typeof bulk === "string") return bulk;
  let id = bytesMark;
  for (const byte of bulk) id += String.fromCharCode(byte);
  return id;
}

/** The bulk that an id stands for. */
export function bulkOfId(id: string): Bulk {
  return id.startsWith(bytesMark) ? Uint8Array.from(id.slice(1), (char) => char.charCodeAt(0)) : id;
}

/** The order of two bulks by their bytes: negative if the first comes first, 0 if they are equal. */
export function compareBulks(one: Bulk, other: Bulk): number {
  if (typeof one === "string" && typeof other === "string") {
    if (one === other) return 0;
    // Characters sort like their bytes, except halves of surrogate pairs.
    if (!surrogate.test(one) && !surrogate.test(other)) return one < other ? -1 : 1;
  }
  const [left, right] = [bytesOf(one), bytesOf(other)];
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const surrogate = /[\ud800-\udfff]/;
