import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import { type PrimaryCallOptions, type PrimaryClient, timeLeft } from "../shared/primary-client.ts";
import { infoRows, readFields, type StreamEntry } from "./message-fields.ts";
import { group, type PriorityStream, type QueueSettings } from "./settings.ts";
import type { PriorityStats, QueueStats } from "./types.ts";

/** The most messages that are counted where Redis does not know how many wait. */
const mostCounted = 1_000;
const nothing: PriorityStats = { depth: 0, inFlight: 0, oldestAgeMs: 0 };
/** No entry has this id. */
const none = "0-0";

/** The state of a stream after the first round trip. */
interface Known {
  readonly stream: PriorityStream;
  readonly inFlight: number;
  /** The last entry that was given out. */
  readonly last: string | undefined;
  readonly length: number;
  /** Undefined if they have to be counted. */
  readonly waiting: number | undefined;
  /** The oldest lease's entry. */
  readonly oldest: string;
}

/** Reads the state of the queue, in two round trips. */
export async function readStats(
  client: PrimaryClient,
  { keys }: QueueSettings,
  pending: number,
  options: PrimaryCallOptions,
): Promise<QueueStats> {
  const left = timeLeft(client, options);
  const [time, delayed, dead, ...infos] = await client.send(
    [
      ["TIME"],
      ["ZCARD", keys.delayed],
      ["XLEN", keys.dead],
      ...keys.streams.flatMap(({ key }): Command[] => [
        ["XINFO", "GROUPS", key],
        ["XLEN", key],
        ["XPENDING", key, group],
      ]),
    ],
    left(),
  );
  const nowMs = serverTimeMs(unwrap(time));
  const known = keys.streams.map((stream, at) => knownOf(stream, infos.slice(3 * at, 3 * at + 3)));
  const replies = await client.send(known.flatMap(queries), left());
  const all = known.map(({ waiting, inFlight, length }, at): PriorityStats => {
    const next = unwrap(replies[2 * at]) as readonly StreamEntry[];
    const leased = unwrap(replies[2 * at + 1]) as readonly StreamEntry[];
    const times = [...next.slice(0, 1), ...leased].map((entry) => Number(readFields(entry).t));
    const oldestAgeMs = times.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...times));
    const isCounted = next.length === 0 || (waiting === undefined && next.length < mostCounted);
    // After a restart the count of Redis is too high, and entries may be acked.
    const depth = isCounted ? next.length : Math.min(waiting ?? Number.POSITIVE_INFINITY, length - inFlight);
    return { depth, inFlight, oldestAgeMs };
  });
  const [retry = nothing, ...ofPriorities] = all;
  const sum = (of: (one: PriorityStats) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    depth: sum(({ depth }) => depth),
    inFlight: sum(({ inFlight }) => inFlight),
    oldestAgeMs: Math.max(...all.map(({ oldestAgeMs }) => oldestAgeMs)),
    priorities: Object.fromEntries(keys.priorities.map((name, at) => [name, ofPriorities[at] ?? nothing])),
    retry,
    delayed: Number(unwrap(delayed)),
    dead: Number(unwrap(dead)),
    pending,
  };
}

function knownOf(stream: PriorityStream, [groups, length, pending]: readonly Reply[]): Known {
  // There is no key before the first push, and no group before the first read.
  const row = infoRows(orNothing(groups)).find(({ name }) => name === group);
  const known = { stream, length: Number(unwrap(length)) };
  if (!row) return { ...known, inFlight: 0, last: undefined, waiting: known.length, oldest: none };
  const [inFlight, oldest] = (orNothing(pending) ?? []) as readonly Reply[];
  const lag = row["lag"];
  return {
    ...known,
    inFlight: Number(inFlight ?? 0),
    last: String(row["last-delivered-id"]),
    waiting: typeof lag === "number" ? lag : undefined,
    oldest: typeof oldest === "string" ? oldest : none,
  };
}

/** Reads the next waiting message, or all that have to be counted, and the oldest leased one. */
const queries = ({ stream: { key }, last, waiting, oldest }: Known): readonly Command[] => [
  ["XRANGE", key, last === undefined ? "-" : `(${last}`, "+", "COUNT", waiting === undefined ? mostCounted : 1],
  ["XRANGE", key, oldest, oldest],
];

const orNothing = (reply: Reply | undefined): Reply => (isCommandError(reply) ? null : (reply ?? null));
