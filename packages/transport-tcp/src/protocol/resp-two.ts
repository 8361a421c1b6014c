import type { Reply } from "@continuum-cache/core";

/**
 * A reply in the shape that it has in RESP2, which is that of the port. A caller's own client may speak RESP3, where some
 * replies are a map (which arrives flat) or pairs.
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
