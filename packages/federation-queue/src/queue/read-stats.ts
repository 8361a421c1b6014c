import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { accepted, type Link, type LinkOptions, timeLeft } from "../shared/link.ts";
import { timeMs } from "../shared/server-time.ts";
import { infoRows } from "./info-rows.ts";
import { readFields, type StreamEntry } from "./message-fields.ts";
import { group, type Source } from "./queue-keys.ts";
import type { QueueSettings } from "./settings.ts";
import type { PriorityStats, QueueStats } from "./types.ts";

/** Where Redis can't tell how many wait, so many are counted at most. */
const mostCounted = 1_000;
const nothing: PriorityStats = { depth: 0, inFlight: 0, oldestAgeMs: 0 };
/** No entry has this id. */
const none = "0-0";

/** What the first trip says of a stream. */
interface Known {
  readonly source: Source;
  readonly inFlight: number;
  /** The last entry that was given out. */
  readonly last: string | undefined;
  readonly length: number;
  /** Undefined where they have to be counted. */
  readonly waiting: number | undefined;
  /** The oldest lease's entry. */
  readonly oldest: string;
}

/** How the queue stands: two trips. */
export async function readStats(
  link: Link,
  { keys }: QueueSettings,
  pending: number,
  options: LinkOptions,
): Promise<QueueStats> {
  const left = timeLeft(link, options);
  const [time, delayed, dead, ...infos] = await link.send(
    [
      ["TIME"],
      ["ZCARD", keys.delayed],
      ["XLEN", keys.dead],
      ...keys.sources.flatMap(({ key }): Command[] => [
        ["XINFO", "GROUPS", key],
        ["XLEN", key],
        ["XPENDING", key, group],
      ]),
    ],
    left(),
  );
  const nowMs = timeMs(accepted(time));
  const known = keys.sources.map((source, at) => knownOf(source, infos.slice(3 * at, 3 * at + 3)));
  const replies = await link.send(known.flatMap(questions), left());
  const all = known.map(({ waiting, inFlight, length }, at): PriorityStats => {
    const next = accepted(replies[2 * at]) as readonly StreamEntry[];
    const leased = accepted(replies[2 * at + 1]) as readonly StreamEntry[];
    const times = [...next.slice(0, 1), ...leased].map((entry) => Number(readFields(entry).t));
    const oldestAgeMs = times.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...times));
    const isCounted = next.length === 0 || (waiting === undefined && next.length < mostCounted);
    // What Redis says is too much after a restart, and what is there may be done.
    const depth = isCounted ? next.length : Math.min(waiting ?? Number.POSITIVE_INFINITY, length - inFlight);
    return { depth, inFlight, oldestAgeMs };
  });
  const [again = nothing, ...ofPriorities] = all;
  const sum = (of: (one: PriorityStats) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    depth: sum(({ depth }) => depth),
    inFlight: sum(({ inFlight }) => inFlight),
    oldestAgeMs: Math.max(...all.map(({ oldestAgeMs }) => oldestAgeMs)),
    priorities: Object.fromEntries(keys.priorities.map((name, at) => [name, ofPriorities[at] ?? nothing])),
    again,
    delayed: Number(accepted(delayed)),
    dead: Number(accepted(dead)),
    pending,
  };
}

function knownOf(source: Source, [groups, length, pending]: readonly Reply[]): Known {
  // There is no such key where nothing was ever pushed, and no group where nobody has ever pulled.
  const row = infoRows(orNothing(groups)).find(({ name }) => name === group);
  const known = { source, length: Number(accepted(length)) };
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

/** The next that waits, or all of them where they have to be counted, and the oldest lease. */
const questions = ({ source: { key }, last, waiting, oldest }: Known): readonly Command[] => [
  ["XRANGE", key, last === undefined ? "-" : `(${last}`, "+", "COUNT", waiting === undefined ? mostCounted : 1],
  ["XRANGE", key, oldest, oldest],
];

const orNothing = (reply: Reply | undefined): Reply => (isCommandError(reply) ? null : (reply ?? null));
