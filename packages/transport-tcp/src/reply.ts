import { isUtf8 } from "node:buffer";
import { CommandError, type Reply } from "@continuum-cache/core";

/** What ioredis hands out (bulk strings as Buffers), in the shapes of the port. */
export function toReply(raw: unknown): Reply {
  if (Buffer.isBuffer(raw)) {
    // A copy when it is no text: the Buffer is a view of a network chunk, which it would keep in memory.
    return isUtf8(raw) ? raw.toString("utf8") : new Uint8Array(raw);
  }
  if (Array.isArray(raw)) return raw.map(toReply);
  if (raw instanceof Error) return new CommandError(raw.message);
  return raw as Reply;
}
