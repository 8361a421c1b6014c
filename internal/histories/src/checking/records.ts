/** Records that every subject has. All times are this machine's, in whole milliseconds since 1970, rounded down. */

/** A fault: what was done to the server, the network or a process. */
export interface FaultRecord {
  readonly kind: "fault";
  readonly name: string;
  /** `kill`: the process ended with it, at `startMs`. `freeze`: the process did not run meanwhile. */
  readonly target: "server" | "network" | "kill" | "freeze";
  readonly process?: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The server lost everything, or what it had acknowledged last. */
  readonly forgets?: "everything" | "tail";
  /** With `forgets`: the earliest time from which acknowledged writes may be lost. */
  readonly forgetsFromMs?: number;
  /** Requests reached the server more than once. */
  readonly isRepeating?: true;
}

/** Something that no promise covers: an unhandled rejection, a call that never ended. */
export interface TroubleRecord {
  readonly kind: "trouble";
  readonly process: string;
  readonly what: string;
}

/** For so long, until `atMs`, a process was not given a processor, or was frozen. */
export interface StallRecord {
  readonly kind: "stall";
  readonly process: string;
  readonly atMs: number;
  readonly ms: number;
}

/** A call with a deadline that has no record of its own: a pull, a stop, a close. */
export interface CallRecord {
  readonly kind: "call";
  readonly process: string;
  readonly what: string;
  readonly startMs: number;
  readonly endMs: number;
  /** How long it may take. */
  readonly deadlineMs: number;
}

/** How many writes still waited in a process when it was asked to finish them and nothing moved any more. */
export interface DrainRecord {
  readonly kind: "drain";
  readonly process: string;
  readonly pending: number;
  readonly atMs: number;
}

/** What a queue or a log said about itself by an event. */
export interface EventRecord {
  readonly kind: "event";
  readonly process: string;
  readonly name: "repaired" | "recovered" | "reset" | "error";
  readonly count: number;
  readonly atMs: number;
}

export type CommonRecord = FaultRecord | TroubleRecord | StallRecord;

/** Reads records by their kind. */
export function recordsOf<Entry extends { readonly kind: string }>(
  records: readonly Entry[],
): <Kind extends Entry["kind"]>(kind: Kind) => Extract<Entry, { kind: Kind }>[] {
  return (kind) => records.filter((record): record is Extract<Entry, { kind: typeof kind }> => record.kind === kind);
}

/** When each killed process was killed. */
export const killTimes = (faults: readonly FaultRecord[]): ReadonlyMap<string, number> =>
  new Map(faults.flatMap(({ target, process = "", startMs }) => (target === "kill" ? [[process, startMs]] : [])));
