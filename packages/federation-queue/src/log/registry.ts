import { noId, parseId, type StreamId, writeId } from "./stream.ts";

/** What the registry knows of an origin. */
export interface Registered {
  /**
   * The random token of the process that holds the lease; `noHolder` after its release, or when a relay wrote the row.
   */
  readonly holder: string;
  /**
   * When the lease was taken last, by the server's clock. It grows with each holder, also after a failover that forgot
   * some.
   */
  readonly sinceMs: number;
  /** When the lease ends, by the server's clock. */
  readonly untilMs: number;
  /** The latest event at that time: numbers go on from it when the stream is gone. */
  readonly last: StreamId;
}

export const noHolder = "-";

/** A known origin without a holder: a relay registers the streams that it copies like this (HSETNX). */
const unheld: Registered = { holder: noHolder, sinceMs: 0, untilMs: 0, last: noId };

export const isHeldAt = ({ holder, untilMs }: Registered, nowMs: number): boolean =>
  holder !== noHolder && untilMs > nowMs;

/** Four words: who holds it, since when, until when, and the id of its last event. */
export const writeRegistered = ({ holder, sinceMs, untilMs, last }: Registered): string =>
  [holder, sinceMs, untilMs, writeId(last)].join(" ");

/** A text that cannot be read counts as an origin without a holder. */
export function readRegistered(text: unknown): Registered {
  const found = typeof text === "string" ? /^(\S+) (\d+) (\d+) (\d+-\d+)$/.exec(text) : null;
  if (!found) return unheld;
  const [, holder = noHolder, sinceMs, untilMs, last] = found;
  return { holder, sinceMs: Number(sinceMs), untilMs: Number(untilMs), last: parseId(last) ?? noId };
}

/** HGETALL of the registry: every origin there is. */
export function readRegistry(reply: unknown): ReadonlyMap<string, Registered> {
  const words = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  const found = new Map<string, Registered>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const origin = words[at];
    if (typeof origin === "string") found.set(origin, readRegistered(words[at + 1]));
  }
  return found;
}

/**
 * The Lua prelude of the log's scripts: the functions above, and the last id of a stream, which outlives its entries.
 */
export const registryLua = `
local function registered(text)
  local holder, since, untilMs, last = string.match(text or "", "^(%S+) (%d+) (%d+) (%d+%-%d+)$")
  return holder or "-", tonumber(since or 0), tonumber(untilMs or 0), last or "0-0"
end
local function lastOf(key)
  local info = redis.pcall("XINFO", "STREAM", key)
  if info.err then
    if string.find(info.err, "no such key", 1, true) then return "0-0" end
    return nil, info
  end
  for n = 1, #info - 1, 2 do
    if info[n] == "last-generated-id" then return info[n + 1] end
  end
  return "0-0"
end
local function whole(n) return string.format("%.0f", n) end
local function serverMs()
  local t = redis.call("TIME")
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end`;
