import { type Argument, type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { show } from "../expect/expect-reply.ts";

/** How a reply compares with another backend's reply to the same command. */
type Comparison =
  | "exact"
  | "any-order"
  | "pairs"
  | "page-of-keys"
  | "page-of-pairs"
  | "a-key"
  | "an-id"
  | "facts-of-streams"
  | "pending"
  | { readonly within: number };

/** Where Redis leaves the order open, or time goes by between two servers. Everything else must be the same. */
const comparisons: Readonly<Record<string, Comparison>> = {
  KEYS: "any-order",
  HKEYS: "any-order",
  HVALS: "any-order",
  HGETALL: "pairs",
  SCAN: "page-of-keys",
  HSCAN: "page-of-pairs",
  RANDOMKEY: "a-key",
  XADD: "an-id",
  XINFO: "facts-of-streams",
  XPENDING: "pending",
  TTL: { within: 10 },
  EXPIRETIME: { within: 10 },
  PTTL: { within: 10_000 },
  PEXPIRETIME: { within: 10_000 },
};

/** What differs between two replies to a command, or `undefined`. Error texts count too: callers read them. */
export function differenceBetween(command: Command, left: Reply, right: Reply): string | undefined {
  const comparison = comparisons[command[0].toUpperCase()] ?? "exact";
  const same =
    typeof comparison === "object" ? isNear(left, right, comparison.within) : isSame(left, right, comparison);
  return same ? undefined : `${show(command)}\n  left:  ${show(left)}\n  right: ${show(right)}`;
}

function isNear(left: Reply, right: Reply, tolerance: number): boolean {
  const bothTimes = typeof left === "number" && typeof right === "number" && left >= 0 && right >= 0;
  return bothTimes ? Math.abs(left - right) <= tolerance : isSame(left, right, "exact");
}

function isSame(left: Reply, right: Reply, comparison: Exclude<Comparison, object>): boolean {
  if (typeof left === "number" && typeof right === "number" && !Number.isSafeInteger(left)) {
    // Beyond 2^53 replies may be rounded, and servers round differently.
    return Math.abs(left - right) <= Math.abs(left) * 1e-12;
  }
  return normal(left, comparison) === normal(right, comparison);
}

function normal(reply: Reply, comparison: Exclude<Comparison, object>): string {
  if (Array.isArray(reply)) {
    const items = reply as readonly Reply[];
    if (comparison === "any-order") return sorted(items.map(literal));
    if (comparison === "pairs") return sorted(pairsOf(items));
    if (comparison === "page-of-keys" || comparison === "page-of-pairs") {
      const [cursor, page] = items;
      const found = Array.isArray(page) ? (page as readonly Reply[]) : [];
      return `${literal(cursor)} ${sorted(comparison === "page-of-pairs" ? pairsOf(found) : found.map(literal))}`;
    }
  }
  // When the sequence numbers of a millisecond have run out, Redis 7.0 answers either text, depending on earlier
  // errors.
  if (comparison === "an-id") return literal(reply).replace(/Elements are too large to be stored/, tooSmall);
  if (comparison === "facts-of-streams") return literal(settled(reply));
  if (comparison === "pending") return literal(withoutIdleTimes(reply));
  if (comparison === "a-key" && reply !== null && !isCommandError(reply)) return "a key";
  return literal(reply);
}

const tooSmall = "The ID specified in XADD is equal or smaller than the target stream top item";

/** Facts of a stream, its groups or consumers, without those that are of the server alone. */
function settled(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  const items = reply as readonly Reply[];
  if (items.every(Array.isArray)) return items.map(settled);
  return items.flatMap((item, at) => {
    const name = items[at - (at % 2)];
    if (name === "idle") return [at % 2 === 0 ? item : "a while"];
    return name === "radix-tree-keys" || name === "radix-tree-nodes" ? [] : [item];
  });
}

/**
 * XPENDING lists entries with id, consumer, idle time and deliveries. A consumer touched each entry just now, or more
 * than an hour ago.
 */
function withoutIdleTimes(reply: Reply): Reply {
  if (!Array.isArray(reply)) return reply;
  return (reply as readonly Reply[]).map((item) => {
    if (!Array.isArray(item) || item.length !== 4) return item;
    const [id, consumer, idleMs, deliveries] = item as readonly Reply[];
    return [id ?? null, consumer ?? null, Number(idleMs) < 3_600_000 ? "just now" : "long ago", deliveries ?? null];
  });
}

const sorted = (texts: readonly string[]): string => [...texts].sort().join("\n");

const pairsOf = (items: readonly Reply[]): string[] =>
  items.flatMap((item, index) => (index % 2 === 0 ? [`${literal(item)}=${literal(items[index + 1])}`] : []));

/** A text that only equal replies share. */
function literal(reply: Reply | Argument | undefined): string {
  if (isCommandError(reply)) return `error ${reply.message}`;
  if (reply instanceof Uint8Array) return `bytes ${[...reply].join(",")}`;
  if (Array.isArray(reply)) return `[${(reply as readonly Reply[]).map(literal).join("; ")}]`;
  return JSON.stringify(reply) ?? "nothing";
}
