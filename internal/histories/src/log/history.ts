import { type FleetRecords, readFleetRecords } from "../checking/fleet-records.ts";
import { recordsOf } from "../checking/records.ts";
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
export interface History extends FleetRecords {
  readonly terms: LogTerms;
  readonly appends: readonly AppendRecord[];
  readonly entries: readonly EntryRecord[];
  readonly commits: readonly CommitRecord[];
  readonly gaps: readonly GapRecord[];
  /** In the order in which they began. */
  readonly sessions: readonly Session[];
  readonly caughtUp: readonly CaughtUpRecord[];
  readonly readers: readonly string[];
  /** Nothing that was acknowledged can have been forgotten. */
  readonly isExact: boolean;
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
  const fleet = readFleetRecords(records);
  const opens = of("open");
  const isExact = !fleet.faults.some(({ forgetsFromMs }) => forgetsFromMs !== undefined);
  const killedOrigins = new Set(
    appends.filter(({ process }) => fleet.killedMs(process) !== undefined).map(({ origin }) => origin),
  );
  return {
    ...fleet,
    terms,
    appends,
    entries: of("entry"),
    commits: of("commit"),
    gaps: of("gap"),
    sessions: readSessions(records, opens),
    caughtUp: of("caught-up"),
    readers: [...new Set(opens.map(({ reader }) => reader))],
    isExact,
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
