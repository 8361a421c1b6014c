/** Which rules hold. Each can be left out, to see what it is for. */
export interface Rules {
  /** A holder counts its lease from when the command was sent, not from when the answer came. */
  readonly countsFromSending: boolean;
  /** It goes by the larger of two clocks: the monotonic one stands still while the machine is frozen. */
  readonly usesLargerDifference: boolean;
  /** The server gives the lock only where the lease of the holder is over. */
  readonly serverChecksHolder: boolean;
}

export const allRules: Rules = {
  countsFromSending: true,
  usesLargerDifference: true,
  serverChecksHolder: true,
};

interface Process {
  /** What is on its way: a command to the server, or an answer from it. */
  readonly trip: "none" | "sent" | "granted" | "refused";
  readonly sentAt: number;
  readonly sentMonotonic: number;
  /** Whether it thinks that it has the lock, since when by both clocks. */
  readonly isHolder: boolean;
  readonly since: number;
  readonly sinceMonotonic: number;
  /** Its monotonic clock, which stands still while it is frozen. */
  readonly monotonic: number;
  readonly isFrozen: boolean;
}

interface State {
  readonly now: number;
  readonly holder: number;
  readonly endsAt: number;
  readonly freezes: number;
  readonly processes: readonly Process[];
}

export interface Verdict {
  readonly states: number;
  readonly broken: string | undefined;
}

const lease = 2;
const end = 4;
const none = -1;

/**
 * Every interleaving of two processes that take one lock, renew it, and use it when they look at their clocks; commands
 * and answers may take any time, and one process may be frozen at any step for any time.
 *
 * The promise: two processes never both find that they hold the lock.
 */
export function exploreLocks(rules: Rules): Verdict {
  const idle: Process = {
    ...{ trip: "none", sentAt: 0, sentMonotonic: 0, isHolder: false, since: 0, sinceMonotonic: 0, monotonic: 0 },
    isFrozen: false,
  } as Process;
  const first: State = { now: 0, holder: none, endsAt: 0, freezes: 0, processes: [idle, idle] };
  const seen = new Set([JSON.stringify(first)]);
  const queue = [first];
  for (let state = queue.pop(); state; state = queue.pop()) {
    const broken = brokenIn(state, rules);
    if (broken) return { states: seen.size, broken };
    for (const next of nextOf(state, rules)) {
      const name = JSON.stringify(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(next);
    }
  }
  return { states: seen.size, broken: undefined };
}

const become = (state: State, id: number, change: Partial<Process>): State => ({
  ...state,
  processes: state.processes.map((process, at) => (at === id ? { ...process, ...change } : process)),
});

function isSure({ isHolder, since, sinceMonotonic, monotonic }: Process, now: number, rules: Rules): boolean {
  const wall = rules.usesLargerDifference ? now - since : 0;
  return isHolder && Math.max(wall, monotonic - sinceMonotonic) < lease;
}

/** The server gets a command to take the lock, or to renew it. */
function serve(state: State, id: number, rules: Rules): State {
  const { now, holder, endsAt } = state;
  const mustWait = holder !== id && now < endsAt && rules.serverChecksHolder;
  if (mustWait) return become(state, id, { trip: "refused" });
  return { ...become(state, id, { trip: "granted" }), holder: id, endsAt: now + lease };
}

function stepsOf(state: State, id: number, rules: Rules): State[] {
  const process = state.processes[id] as Process;
  const { trip, sentAt, sentMonotonic, monotonic, isFrozen } = process;
  // The server answers also while the process is frozen.
  if (trip === "sent") return [serve(state, id, rules), ...freezing(state, id)];
  if (isFrozen) return [become(state, id, { isFrozen: false })];
  const others = freezing(state, id);
  if (trip === "none")
    return [become(state, id, { trip: "sent", sentAt: state.now, sentMonotonic: monotonic }), ...others];
  const arrived = { trip: "none", sentAt: 0, sentMonotonic: 0, isHolder: trip === "granted" } as const;
  const from = rules.countsFromSending ? [sentAt, sentMonotonic] : [state.now, monotonic];
  const [since = 0, sinceMonotonic = 0] = arrived.isHolder ? from : [];
  return [become(state, id, { ...arrived, since, sinceMonotonic }), ...others];
}

function freezing(state: State, id: number): State[] {
  const { isFrozen } = state.processes[id] as Process;
  if (isFrozen) return [become(state, id, { isFrozen: false })];
  return state.freezes < 1 ? [{ ...become(state, id, { isFrozen: true }), freezes: 1 }] : [];
}

function nextOf(state: State, rules: Rules): State[] {
  const steps = state.processes.flatMap((_, id) => stepsOf(state, id, rules));
  if (state.now < end) {
    const processes = state.processes.map((each) => ({
      ...each,
      monotonic: each.isFrozen ? each.monotonic : each.monotonic + 1,
    }));
    steps.push({ ...state, now: state.now + 1, processes });
  }
  return steps;
}

function brokenIn(state: State, rules: Rules): string | undefined {
  const sure = state.processes.filter((each) => !each.isFrozen && isSure(each, state.now, rules));
  return sure.length > 1 ? "two processes find that they hold the lock" : undefined;
}
