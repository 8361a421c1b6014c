import {
  type CallRecord,
  type DrainRecord,
  type EventRecord,
  type FaultRecord,
  killTimes,
  recordsOf,
  type TroubleRecord,
} from "../checking/records.ts";
import { readStalls, type Stalls } from "../checking/stalls.ts";
import type { AppendRecord, CaughtUpRecord, CommitRecord, EntryRecord, GapRecord, LogRecord } from "./record.ts";

/** What one loop was given of one origin, in order. */
export interface Session {
  readonly reader: string;
  readonly process: string;
  readonly origin: string;
  readonly openedMs: number;
  readonly items: readonly (EntryRecord | GapRecord)[];
}

/** Records, sorted by what they are about. */
export interface History {
  readonly terms: LogTerms;
  readonly appends: readonly AppendRecord[];
  readonly entries: readonly EntryRecord[];
  readonly commits: readonly CommitRecord[];
  readonly gaps: readonly GapRecord[];
  /** In the order in which they began. */
  readonly sessions: readonly Session[];
  readonly calls: readonly CallRecord[];
  readonly drains: readonly DrainRecord[];
  readonly events: readonly EventRecord[];
  readonly caughtUp: readonly CaughtUpRecord[];
  readonly faults: readonly FaultRecord[];
  readonly troubles: readonly TroubleRecord[];
  readonly stalls: Stalls;
  readonly readers: readonly string[];
  /** Nothing that was acknowledged can have been forgotten. */
  readonly isExact: boolean;
  /** When a process was killed. */
  killedMs(process: string): number | undefined;
  /** The server forgot something, and a process of that origin was killed that could have appended it again. */
  mayBeRewritten(origin: string): boolean;
}

/** What was promised, in numbers. */
export interface LogTerms {
  readonly timeoutMs: number;
  /** What a busy machine may add to a time, besides the stalls that were measured. */
  readonly slackMs: number;
}

export function readHistory(records: readonly LogRecord[], terms: LogTerms): History {
  const of = recordsOf(records);
  const appends = of("append");
  const faults = of("fault");
  const opens = of("open");
  const kills = killTimes(faults);
  const isExact = !faults.some(({ forgetsFromMs }) => forgetsFromMs !== undefined);
  const killedOrigins = new Set(appends.filter(({ process }) => kills.has(process)).map(({ origin }) => origin));
  return {
    terms,
    appends,
    entries: of("entry"),
    commits: of("commit"),
    gaps: of("gap"),
    sessions: readSessions(records, opens),
    calls: of("call"),
    drains: of("drain"),
    events: of("event"),
    caughtUp: of("caught-up"),
    faults,
    troubles: of("trouble"),
    stalls: readStalls(of("stall")),
    readers: [...new Set(opens.map(({ reader }) => reader))],
    isExact,
    killedMs: (process) => kills.get(process),
    mayBeRewritten: (origin) => !isExact && killedOrigins.has(origin),
  };
}

function readSessions(
  records: readonly LogRecord[],
  opens: readonly Extract<LogRecord, { kind: "open" }>[],
): readonly Session[] {
  const openedMs = new Map(opens.map(({ process, session, atMs }) => [`${process} ${session}`, atMs]));
  const sessions = new Map<string, Session & { readonly items: (EntryRecord | GapRecord)[] }>();
  for (const record of records) {
    if (record.kind !== "entry" && record.kind !== "gap") continue;
    const { process, session, reader, origin } = record;
    const loop = `${process} ${session}`;
    const key = `${loop} ${origin}`;
    const found = sessions.get(key) ?? { reader, process, origin, openedMs: openedMs.get(loop) ?? 0, items: [] };
    found.items.push(record);
    sessions.set(key, found);
  }
  return [...sessions.values()].sort((one, other) => one.openedMs - other.openedMs);
}
