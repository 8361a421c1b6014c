import { type Command, isCommandError, type Reply } from "@continuum-cache/core";

/** Commands whose answer has no order of its own, and how many words one item of it has. */
const unordered: Readonly<Record<string, number>> = { KEYS: 1, HKEYS: 1, HVALS: 1, HGETALL: 2 };

/** A reply as a text that is equal for equal answers. */
export function comparable([typed]: Command, reply: Reply | undefined): string {
  const name = typed.toUpperCase();
  // The TCP transport writes names in upper case; Lua adds where in its text the error was.
  // For a millisecond whose numbers have run out Redis has either text, as its last error of any kind was.
  if (name === "XADD" && isCommandError(reply) && /too large to be stored|equal or smaller/.test(reply.message)) {
    return "error too small";
  }
  if (isCommandError(reply))
    return `error ${reply.message}`.replace(/'no-such'/, "'NO-SUCH'").replace(/ script: .*$/, "");
  if (name.endsWith("EXPIRETIME") && typeof reply === "number" && reply > 0 && isRelative(name, reply))
    return "some date";
  if (name === "TTL" && typeof reply === "number" && reply > 0) return "some seconds";
  if (name === "PTTL" && typeof reply === "number" && reply > 0) return "some milliseconds";
  // Near 2^53 and beyond ioredis rounds digit by digit.
  if (typeof reply === "number" && Math.abs(reply) > 9e15) return reply.toPrecision(12);
  if (name === "RANDOMKEY" && reply !== null) return "some key";
  if ((name === "SCAN" || name === "HSCAN") && Array.isArray(reply)) {
    return JSON.stringify([reply[0], grouped(reply[1] as readonly Reply[], name === "SCAN" ? 1 : 2)]);
  }
  if (name === "XINFO" || name === "XPENDING") return show(withoutTimes(reply ?? null));
  const size = unordered[name];
  return size && Array.isArray(reply) ? JSON.stringify(grouped(reply, size)) : show(reply);
}

/** Facts about a stream, or about what is pending, without idle times and what is of the server alone. */
function withoutTimes(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  const items = reply as readonly Reply[];
  if (items.length === 4 && typeof items[2] === "number" && typeof items[3] === "number") {
    return [items[0] ?? null, items[1] ?? null, items[2] < 3_600_000 ? "just now" : "long ago", items[3]];
  }
  return items.flatMap((item, at) => {
    if (Array.isArray(item)) return [withoutTimes(item as Reply)];
    const isName = (one: Reply | undefined) => typeof one === "string" && /^(radix-tree-.*|idle)$/.test(one);
    return isName(item) || isName(items[at - 1]) ? [] : [item];
  });
}

/** Counted from now on, by two servers at two times: dates that were given lie in the year 2096. */
function isRelative(name: string, date: number): boolean {
  const seconds = name === "EXPIRETIME" ? date : date / 1_000;
  return seconds < 3.9e9 || seconds > 4.1e9;
}

function grouped(items: readonly Reply[], size: number): string[] {
  const groups: string[] = [];
  for (let at = 0; at < items.length; at += size)
    groups.push(
      items
        .slice(at, at + size)
        .map(show)
        .join(" "),
    );
  return groups.sort();
}

export function show(reply: unknown): string {
  if (reply instanceof Uint8Array) return `bytes(${[...reply.subarray(0, 64)]} of ${reply.length})`;
  if (Array.isArray(reply)) return `[${reply.map(show).join(", ")}]`;
  return JSON.stringify(reply) ?? "undefined";
}
