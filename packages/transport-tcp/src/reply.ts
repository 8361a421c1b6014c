import { constants, isUtf8 } from "node:buffer";
import { CommandError, type Reply } from "@continuum-cache/core";
import { longInteger } from "./reply-rules.ts";

/**
 * What ioredis hands out (bulk strings as Buffers), in the shapes of the port.
 *
 * @param nextLongInteger - The reply's integers that ioredis has rounded, as they came.
 */
export function toReply(raw: unknown, nextLongInteger?: () => number | undefined): Reply {
  if (typeof raw === "number" && Math.abs(raw) >= longInteger) return nextLongInteger?.() ?? raw;
  if (Buffer.isBuffer(raw)) {
    // A copy when it is no text: the Buffer is a view of a network chunk, which it would keep in memory.
    return isUtf8(raw) ? raw.toString("utf8") : new Uint8Array(raw);
  }
  if (Array.isArray(raw)) return raw.map((each) => toReply(each, nextLongInteger));
  if (raw instanceof Error) return new CommandError(raw.message);
  return raw as Reply;
}

/**
 * A part of a chunk as text, or as a copy when it is none: a view would keep the whole chunk in memory.
 *
 * @param isAscii - Whether the chunk is known to hold ASCII only.
 */
export function toTextOrBytes(chunk: Buffer, from: number, to: number, isAscii: boolean): string | Uint8Array {
  // Redis stores a few bytes more than a string can hold.
  if (to - from > constants.MAX_STRING_LENGTH) return new Uint8Array(chunk.subarray(from, to));
  if (isAscii) return chunk.toString("latin1", from, to);
  const text = chunk.toString("utf8", from, to);
  // What is no UTF-8 becomes U+FFFD, which may also stand there as itself.
  if (text.includes("\ufffd") && !isUtf8(chunk.subarray(from, to))) return new Uint8Array(chunk.subarray(from, to));
  return text;
}
