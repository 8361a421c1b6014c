/** Which rules hold. Each can be left out, to see what it is for. */
export interface Rules {
  /** A claim is over when its owner's deadline has passed. */
  readonly claimsExpire: boolean;
  /** A call that waits has a timer of its own. */
  readonly waitersHaveTimers: boolean;
}

interface Call {
  readonly phase: "new" | "waiting" | "working" | "done" | "late" | "vanished";
  /** Its deadline. */
  readonly endsAt: number;
  /** Whether it was at work when it vanished. */
  readonly wasAtWork: boolean;
}

interface State {
  readonly now: number;
  readonly calls: readonly Call[];
  /** The calls in the order in which they came. */
  readonly order: readonly number[];
}

export interface Verdict {
  readonly states: number;
  /** What a rule that is missing leads to; undefined when every promise is kept. */
  readonly broken: string | undefined;
}

/** The last moment of the model. */
const end = 7;

/**
 * Every interleaving of calls that want the same key one after the other, each with its own deadline, each of which may
 * vanish at any step without a word. Time moves only when every call that is there has done what is due.
 *
 * The promises: no call waits beyond its deadline; no call begins its work while an earlier one may still be at work
 * within its deadline; and a call that comes when all earlier deadlines have passed does its work.
 */
export function exploreClaims(timeouts: readonly number[], rules: Rules): Verdict {
  const first: State = {
    now: 0,
    calls: timeouts.map(() => ({ phase: "new", endsAt: 0, wasAtWork: false })),
    order: [],
  };
  const seen = new Set([JSON.stringify(first)]);
  const queue = [first];
  for (let state = queue.pop(); state; state = queue.pop()) {
    const broken = brokenIn(state, rules);
    if (broken) return { states: seen.size, broken };
    for (const next of nextOf(state, timeouts, rules)) {
      const name = JSON.stringify(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(next);
    }
  }
  return { states: seen.size, broken: undefined };
}

const isOver = ({ phase, endsAt }: Call, now: number, { claimsExpire }: Rules): boolean =>
  phase === "done" || phase === "late" || (claimsExpire && now >= endsAt);

const before = ({ order, calls }: State, id: number): readonly Call[] =>
  order.slice(0, order.indexOf(id)).map((earlier) => calls[earlier] as Call);

const hasTurn = (state: State, id: number, rules: Rules): boolean =>
  before(state, id).every((call) => isOver(call, state.now, rules));

/** What a call that is there does before time goes on. */
function isDue(state: State, id: number, rules: Rules): boolean {
  const { phase, endsAt } = state.calls[id] as Call;
  if (phase === "working") return state.now >= endsAt;
  if (phase !== "waiting") return false;
  return hasTurn(state, id, rules) || (rules.waitersHaveTimers && state.now >= endsAt);
}

function nextOf(state: State, timeouts: readonly number[], rules: Rules): State[] {
  const { now, calls, order } = state;
  const become = (id: number, change: Partial<Call>): State => ({
    ...state,
    calls: calls.map((call, at) => (at === id ? { ...call, ...change } : call)),
  });
  const steps = calls.flatMap(({ phase, endsAt }, id): State[] => {
    if (phase === "new") {
      const waiting = become(id, { phase: "waiting", endsAt: now + (timeouts[id] as number) });
      return [{ ...waiting, order: [...order, id] }];
    }
    if (phase !== "waiting" && phase !== "working") return [];
    const possible = [become(id, { phase: "vanished", wasAtWork: phase === "working" })];
    const isLate = now >= endsAt && (phase === "working" || rules.waitersHaveTimers);
    if (isLate) possible.push(become(id, { phase: "late" }));
    else if (phase === "working") possible.push(become(id, { phase: "done" }));
    else if (hasTurn(state, id, rules)) possible.push(become(id, { phase: "working" }));
    return possible;
  });
  if (now < end && !calls.some((_, id) => isDue(state, id, rules))) steps.push({ ...state, now: now + 1 });
  return steps;
}

function brokenIn(state: State, rules: Rules): string | undefined {
  const { now, calls, order } = state;
  for (const id of order) {
    const { phase, endsAt } = calls[id] as Call;
    const earlier = before(state, id);
    if (phase === "waiting" && now > endsAt) return "a call waits beyond its deadline";
    const isAtWork = (call: Call): boolean => call.phase === "working" || (call.phase === "vanished" && call.wasAtWork);
    if (phase === "working" && earlier.some((call) => isAtWork(call) && now < call.endsAt))
      return "two calls are at work";
    const areExpired = earlier.every((call) => call.phase !== "working" && now >= call.endsAt);
    if (phase === "waiting" && areExpired && !hasTurn(state, id, rules)) return "vanished work is never taken over";
  }
  return undefined;
}
