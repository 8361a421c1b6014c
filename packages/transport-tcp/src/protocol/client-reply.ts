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

/**
 * A reply in the shape that it has in RESP2, which is that of the port. A caller's own client may speak RESP3, where
 * some replies are a map (which arrives flat) or pairs.
 *
 * @param name - The command's, in any case.
 */
export function inRespTwo(name: string, reply: Reply): Reply {
  if (!Array.isArray(reply) || reply.length === 0) return reply;
  const items = reply as readonly Reply[];
  const upper = name.toUpperCase();
  if (upper === "XREAD" || upper === "XREADGROUP") return Array.isArray(items[0]) ? reply : pairsOf(items);
  // Members and their scores. In RESP2 no reply about a sorted set is made of arrays only.
  if (upper.startsWith("Z") || upper === "HRANDFIELD") return items.every(Array.isArray) ? items.flat() : reply;
  return reply;
}

function pairsOf(items: readonly Reply[]): Reply {
  return items.flatMap((item, at) => (at % 2 === 0 ? [[item, items[at + 1] ?? null]] : []));
}
