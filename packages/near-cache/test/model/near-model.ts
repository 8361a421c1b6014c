/** Which rules hold. Each can be left out, to see what it is for. */
export interface Rules {
  /** A write and its announcement are one transaction; else two commands, between which the writer may end. */
  readonly isAtomic: boolean;
  /** A read is not kept after an announcement that its start did not know of. */
  readonly checksAnnouncements: boolean;
  /** A read is not kept after a write of the same process. */
  readonly checksOwnWrites: boolean;
  /** A look follows only from an entry that is still there. */
  readonly wantsCursorEntry: boolean;
  /** What was begun before a restart counts for nothing after it. */
  readonly hasEpochs: boolean;
  /** A look proves what was true when it started; else what was true when its reply came. */
  readonly countsFromStart: boolean;
}

export const allRules: Rules = {
  isAtomic: true,
  checksAnnouncements: true,
  checksOwnWrites: true,
  wantsCursorEntry: true,
  hasEpochs: true,
  countsFromStart: true,
};

/** How much happens: the numbers of processes, of writes, of reads and looks at once, and of trims. */
export interface Size {
  readonly processes: number;
  readonly writes: number;
  readonly reads: number;
  readonly looks: number;
  readonly trims: number;
}

/** A read of the key: it has begun, has run at the server, or is not there. */
type Read = null | { known: number; epoch: number; changes: number; value: number | null };
/** A look, likewise; `upTo` and `isThere` are what the server has answered. */
type Look = null | { from: number; epoch: number; truth: number; upTo: number | null; isThere: boolean };

interface Process {
  /** The announcement up to which it has read, -1 for none. */
  cursor: number;
  /** The highest announcement of the key that it has seen in a look; those before a restart it has not. */
  seen: number;
  known: number;
  epoch: number;
  /** Writes of its own, and the version of the last of them that it has heard the end of. */
  changes: number;
  own: number;
  held: number | null;
  /** The version that the server had at the moment from which hits count their age. */
  proven: number;
  reads: Read[];
  looks: Look[];
  /** A write of its own that is on its way: begun, or run at the server with this version and announcement. */
  write: null | { version: number; id: number };
}

interface State {
  version: number;
  /** Announcements are 1 to `last`; those below `first` are gone. Announcement 0 was there before. */
  last: number;
  first: number;
  /** Another client has written and not announced yet. */
  isHalfWritten: boolean;
  writes: number;
  trims: number;
  processes: Process[];
}

/** What goes wrong first, if anything does. */
export interface Verdict {
  readonly states: number;
  readonly broken: string | undefined;
}

/**
 * Every interleaving of reads, looks, writes of the process and of others, evictions and trims of the stream, for one
 * key. A read or look whose owner vanishes is one that takes no further step.
 */
export function explore(size: Size, rules: Rules): Verdict {
  const first: State = {
    version: 0,
    last: 0,
    first: 0,
    isHalfWritten: false,
    writes: 0,
    trims: 0,
    processes: Array.from({ length: size.processes }, () => ({
      cursor: 0,
      seen: 0,
      known: 0,
      epoch: 0,
      changes: 0,
      own: 0,
      held: null,
      proven: 0,
      reads: Array<Read>(size.reads).fill(null),
      looks: Array<Look>(size.looks).fill(null),
      write: null,
    })),
  };
  const seen = new Set([JSON.stringify(first)]);
  const waiting = [first];
  for (let state = waiting.pop(); state; state = waiting.pop()) {
    const broken = brokenIn(state);
    if (broken) return { states: seen.size, broken };
    for (const step of steps(state, size, rules)) {
      const next = structuredCopy(state);
      step(next);
      const name = JSON.stringify(next);
      if (seen.has(name)) continue;
      seen.add(name);
      waiting.push(next);
    }
  }
  return { states: seen.size, broken: undefined };
}

const structuredCopy = (state: State): State => ({
  ...state,
  processes: state.processes.map((one) => ({
    ...one,
    reads: one.reads.map((read) => read && { ...read }),
    looks: one.looks.map((look) => look && { ...look }),
    write: one.write && { ...one.write },
  })),
});

function brokenIn({ processes, version, last, isHalfWritten }: State): string | undefined {
  for (const { held, proven, own, cursor, reads, looks } of processes) {
    if (held === null) continue;
    if (held < proven) return "a hit is older than the bound";
    if (held < own) return "a process does not read its own write";
    const isQuiet = !isHalfWritten && [...reads, ...looks].every((one) => one === null);
    if (isQuiet && cursor === last && held < version) return "an old value is never repaired";
  }
  return undefined;
}

type Step = (state: State) => void;

function steps(state: State, size: Size, rules: Rules): Step[] {
  const all: Step[] = [];
  const { version, last, isHalfWritten, writes } = state;
  // Another client writes, and may end between two commands.
  if (isHalfWritten) {
    all.push((next) => Object.assign(next, { last: last + 1, isHalfWritten: false }));
    all.push((next) => Object.assign(next, { isHalfWritten: false }));
  } else if (writes < size.writes) {
    const written = { version: version + 1, writes: writes + 1 };
    all.push((next) => Object.assign(next, written, rules.isAtomic ? { last: last + 1 } : { isHalfWritten: true }));
  }
  if (state.trims < size.trims) {
    all.push((next) => Object.assign(next, { first: last, trims: state.trims + 1 }));
    all.push((next) => Object.assign(next, { first: last + 1, trims: state.trims + 1 }));
  }
  for (const [nth, process] of state.processes.entries()) {
    const own = (change: (process: Process, next: State) => void): void => {
      all.push((next) => change(next.processes[nth] as Process, next));
    };
    if (process.held !== null) own((one) => Object.assign(one, { held: null }));
    addOwnWrite(process, state, size, own);
    for (const at of process.reads.keys()) addRead(process, at, state, rules, own);
    for (const at of process.looks.keys()) addLook(process, at, state, rules, own);
  }
  return all;
}

type Own = (change: (process: Process, next: State) => void) => void;

/** It forgets the value when it is called; then the server runs it; then the reply tells its announcement. */
function addOwnWrite({ write, changes }: Process, { version, last, writes }: State, size: Size, own: Own): void {
  if (write === null) {
    if (writes >= size.writes) return;
    own((one, next) => {
      Object.assign(one, { held: null, changes: changes + 1, write: { version: 0, id: 0 } });
      next.writes++;
    });
  } else if (write.id === 0) {
    own((one, next) => {
      Object.assign(next, { version: version + 1, last: last + 1 });
      one.write = { version: version + 1, id: last + 1 };
    });
  } else {
    own((one) => {
      one.known = one.cursor < 0 ? one.known : Math.max(one.known, write.id);
      Object.assign(one, { own: write.version, write: null });
    });
  }
}

function addRead(process: Process, at: number, state: State, rules: Rules, own: Own): void {
  const read = process.reads[at] as Read;
  const { known, epoch, changes, cursor, write } = process;
  if (!read) {
    // A read behind a write of the same process runs behind it, as trips of a key do.
    const mayBegin = process.held === null && cursor >= 0 && (write === null || write.id > 0);
    if (mayBegin) own((one) => (one.reads[at] = { known, epoch, changes, value: null }));
  } else if (read.value === null) {
    own((one) => (one.reads[at] = { ...read, value: state.version }));
  } else {
    own((one) => {
      one.reads[at] = null;
      const isOld = rules.hasEpochs && read.epoch !== epoch;
      const wasWritten = rules.checksOwnWrites && read.changes !== changes;
      const wasAnnounced = rules.checksAnnouncements && one.seen > read.known;
      if (!isOld && !wasWritten && !wasAnnounced) one.held = read.value;
    });
  }
}

function addLook(process: Process, at: number, state: State, rules: Rules, own: Own): void {
  const look = process.looks[at] as Look;
  if (!look) {
    const { cursor, epoch } = process;
    const sent = { from: cursor, epoch, truth: state.version, upTo: null, isThere: false };
    if (cursor !== state.last || process.proven !== state.version) own((one) => (one.looks[at] = sent));
  } else if (look.upTo === null) {
    const isThere = look.from >= state.first && state.last >= state.first;
    own((one) => (one.looks[at] = { ...look, upTo: state.last, isThere }));
  } else {
    const { upTo } = look;
    own((one, next) => {
      one.looks[at] = null;
      if (rules.hasEpochs && look.epoch !== one.epoch) return;
      const truth = rules.countsFromStart ? look.truth : next.version;
      if (look.from < 0) restart(one, upTo, truth);
      else if (!look.isThere && rules.wantsCursorEntry) restart(one, -1, 0);
      else {
        // Without that rule it believes that nothing was announced where the entries are gone.
        if (look.isThere && upTo > one.known) one.held = null;
        if (look.isThere) one.seen = Math.max(one.seen, upTo);
        one.cursor = Math.max(one.cursor, look.isThere ? upTo : Math.max(look.from, upTo));
        one.known = Math.max(one.known, one.cursor);
        one.proven = Math.max(one.proven, truth);
      }
    });
  }
}

function restart(one: Process, cursor: number, proven: number): void {
  Object.assign(one, { cursor, known: Math.max(0, cursor), proven, epoch: one.epoch + 1, held: null });
}
