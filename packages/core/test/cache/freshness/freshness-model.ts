/**
 * One key, one process, every interleaving of: calls that may be served a stale value, loads behind their answers, one
 * delete, and a request that vanishes. The value of the source changes once, and the delete follows the change.
 */
export interface Rules {
  /** A load that began before a write does not store. */
  readonly outdatesLoads: boolean;
  /** A call that begins after a write reads anew, and does not share an earlier read. */
  readonly outdatesReads: boolean;
  /** A load that runs already is not begun again. */
  readonly singleFlight: boolean;
  /** A load whose owner has vanished is given up: another begins, and the lost one does not store. */
  readonly takesOver: boolean;
}

export const allRules: Rules = { outdatesLoads: true, outdatesReads: true, singleFlight: true, takesOver: true };

type Version = 0 | 1;

interface Load {
  readonly value: Version;
  readonly isOutdated: boolean;
  readonly isLost: boolean;
}

interface State {
  readonly source: Version;
  readonly isDeleted: boolean;
  /** What Redis holds; `undefined` for nothing. It is stale at all times. */
  readonly stored: Version | undefined;
  /** The read in flight that calls share, with what it will bring. */
  readonly read: { readonly value: Version | undefined; readonly isOutdated: boolean } | undefined;
  /** Calls that wait for that read, by whether they began after the delete. */
  readonly waiting: readonly boolean[];
  readonly loads: readonly Load[];
  readonly callsLeft: number;
  readonly isRefreshed: boolean;
  readonly mayVanish: boolean;
}

const initial: State = {
  source: 0,
  isDeleted: false,
  stored: 0,
  read: undefined,
  waiting: [],
  loads: [],
  callsLeft: 3,
  isRefreshed: false,
  mayVanish: true,
};

/** A load begins as the rules allow. */
function begun(state: State, rules: Rules): State {
  const running = state.loads.filter((load) => !load.isOutdated);
  const [owner] = running;
  if (rules.singleFlight && owner && !(rules.takesOver && owner.isLost)) return state;
  const given = state.loads.map((load) => (rules.takesOver && load.isLost ? { ...load, isOutdated: true } : load));
  return { ...state, loads: [...given, { value: state.source, isOutdated: false, isLost: false }] };
}

/** All that may happen next. @throws Error that names the property which is violated. */
export function next(state: State, rules: Rules): State[] {
  const found: State[] = [];
  const { read, loads } = state;
  if (state.source === 0) found.push({ ...state, source: 1 });
  if (state.source === 1 && !state.isDeleted) {
    found.push({
      ...state,
      isDeleted: true,
      stored: undefined,
      read: read && rules.outdatesReads ? { ...read, isOutdated: true } : read,
      loads: loads.map((load) => ({ ...load, isOutdated: load.isOutdated || rules.outdatesLoads })),
    });
  }
  // A call joins the read in flight, or sends one.
  if (state.callsLeft > 0) {
    const callsLeft = state.callsLeft - 1;
    const waiting = [...state.waiting, state.isDeleted];
    if (read && !read.isOutdated) found.push({ ...state, callsLeft, waiting });
    else if (!read) found.push({ ...state, callsLeft, waiting, read: { value: state.stored, isOutdated: false } });
  }
  if (read) {
    for (const isAfterDelete of state.waiting) {
      if (isAfterDelete && read.value === 0) throw new Error("A call after the delete was served the old value");
    }
    found.push(begun({ ...state, read: undefined, waiting: [] }, rules));
  }
  for (const load of loads) {
    const others = loads.filter((each) => each !== load);
    if (!load.isLost && state.mayVanish) {
      found.push({ ...state, mayVanish: false, loads: [...others, { ...load, isLost: true }] });
    }
    const stored = load.isOutdated ? state.stored : load.value;
    found.push({ ...state, loads: others, stored, isRefreshed: true });
  }
  const running = loads.filter(({ isOutdated }) => !isOutdated);
  if (running.length > 1) throw new Error("Two loaders run for one key");
  if (state.isDeleted && state.stored === 0) throw new Error("The old value is back after the delete");
  return found;
}

/** Visits every state. @returns how many there are, and whether each lost load can be replaced. */
export function visit(rules: Rules): { readonly states: number; readonly isStuck: boolean } {
  const seen = new Set<string>();
  const open = [initial];
  let isStuck = false;
  for (let state = open.pop(); state; state = open.pop()) {
    const id = JSON.stringify(state);
    if (seen.has(id)) continue;
    seen.add(id);
    const running = state.loads.filter(({ isOutdated }) => !isOutdated);
    // A call that finds nothing but a lost load begins another.
    if (running.length > 0 && running.every(({ isLost }) => isLost) && begun(state, rules) === state) isStuck = true;
    open.push(...next(state, rules));
  }
  return { states: seen.size, isStuck };
}
