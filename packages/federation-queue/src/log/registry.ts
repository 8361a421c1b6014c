import { noId, parseId, type StreamId, writeId } from "./stream.ts";

/** What the registry knows of an origin. */
export interface Registered {
  /** The random name of the process that holds the origin's; `nobody` when it was given back, or is known here only by a relay. */
  readonly holder: string;
  /** When it was taken last, by the server's clock: grows with each holder, also beyond a failover that forgot some. */
  readonly sinceMs: number;
  /** Until when it is held, by the server's clock. */
  readonly untilMs: number;
  /** The latest event at that time: what the numbers go on from should the stream be gone. */
  readonly last: StreamId;
}

export const nobody = "-";

/** An origin that is known, but held by nobody: what a relay sets (HSETNX) where it brings a stream. */
const unheld: Registered = { holder: nobody, sinceMs: 0, untilMs: 0, last: noId };

/** Four words: who holds it, since when, until when, and the id of its last event. */
export const writeRegistered = ({ holder, sinceMs, untilMs, last }: Registered): string =>
  [holder, sinceMs, untilMs, writeId(last)].join(" ");

/** What can't be read is held by nobody. */
export function readRegistered(text: unknown): Registered {
  const found = typeof text === "string" ? /^(\S+) (\d+) (\d+) (\d+-\d+)$/.exec(text) : null;
  if (!found) return unheld;
  const [, holder = nobody, sinceMs, untilMs, last] = found;
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

/** What the scripts of a log share: the same as `registry.ts`, and the last id of a stream, which outlives its entries. */
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
