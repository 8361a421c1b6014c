import { isUtf8 } from "node:buffer";
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
