import { isUtf8 } from "node:buffer";
import { CommandError, type Reply } from "@continuum-cache/core";

/** What ioredis hands out (bulk strings as Buffers), in the shapes of the port. */
export function toReply(raw: unknown): Reply {
  if (raw instanceof Uint8Array) return textOrOwnBytes(raw);
  if (Array.isArray(raw)) return raw.map(toReply);
  if (raw instanceof Error) return new CommandError(raw.message);
  return raw as Reply;
}

/** A copy when it is no text: the Buffer is a view of a network chunk, which it would keep in memory. */
function textOrOwnBytes(bytes: Uint8Array): string | Uint8Array {
  if (!isUtf8(bytes)) return new Uint8Array(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
