/** Which rules hold. Each can be left out, to see what it is for. */
export interface Rules {
  /** The lease stands under the key itself, so that a delete or another write of the key ends it. */
  readonly leaseInKey: boolean;
  /** The winner stores only where its own placeholder still stands (IFEQ). */
  readonly storesIfOwn: boolean;
  /** The placeholder expires. */
  readonly leaseExpires: boolean;
  /** A placeholder that was seen unchanged for a whole lease is taken over, whatever its expiry says. */
  readonly staleLeaseIsTaken: boolean;
  /** A process that waits has a timer of its own. */
  readonly waitersHaveTimers: boolean;
}

export const allRules: Rules = {
  leaseInKey: true,
  storesIfOwn: true,
  leaseExpires: true,
  staleLeaseIsTaken: true,
  waitersHaveTimers: true,
};

interface Process {
  readonly phase: "new" | "missed" | "leased" | "loaded" | "waiting" | "done" | "late" | "killed";
  readonly endsAt: number;
  /** The names of its placeholder and of the one that it waits for. */
  readonly token: number;
  readonly seen: number;
  readonly seenAt: number;
  /** The version of the source that its loader read. */
  readonly version: number;
  /** Until when its lease holds; 0 when it has none, or a write has ended it. */
  readonly leasedUntil: number;
}

/** Nothing, a placeholder by its token, or a value by the version of the source that it shows. */
type Stored = { readonly token: number; readonly endsAt: number } | { readonly version: number } | undefined;

interface State {
  readonly now: number;
  readonly source: number;
  readonly key: Stored;
  /** Where the lease stands when it is not in the key. */
  readonly side: { readonly token: number; readonly endsAt: number } | undefined;
  /** A writer changes the source, then deletes the key or writes the new value. */
  readonly writer: "idle" | "changed" | "done";
  readonly isMeddledWith: boolean;
  readonly kills: number;
  readonly tokens: number;
  readonly processes: readonly Process[];
  /** The last moment of the model. */
  readonly end: number;
}

export interface Verdict {
  readonly states: number;
  /** What a rule that is missing leads to; undefined when every promise is kept. */
  readonly broken: string | undefined;
}

const lease = 2;
const never = 99;

/**
 * Every interleaving of processes that want one cold key, one of which may be killed at any step, with a writer of the
 * source, and a client that takes the expiry of the key away.
 *
 * The promises: a value that is stored when no writer is at work shows the source as it is; no two processes load while
 * both their leases hold; no process waits beyond its deadline; and a process that waits when all leases are over
 * becomes the loader.
 */
export function exploreLeases(deadlines: readonly number[], rules: Rules): Verdict {
  const process: Process = { phase: "new", endsAt: 0, token: 0, seen: 0, seenAt: 0, version: 0, leasedUntil: 0 };
  const first: State = {
    now: 0,
    source: 1,
    key: undefined,
    side: undefined,
    writer: "idle",
    isMeddledWith: false,
    kills: 0,
    tokens: 0,
    processes: deadlines.map((endsAt) => ({ ...process, endsAt })),
    end: Math.max(...deadlines) + 1,
  };
  const seen = new Set([nameOf(first)]);
  const queue = [first];
  for (let state = queue.pop(); state; state = queue.pop()) {
    const broken = brokenIn(state);
    if (broken) return { states: seen.size, broken };
    for (const next of nextOf(state, rules)) {
      const name = nameOf(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(next);
    }
  }
  return { states: seen.size, broken: undefined };
}

/** Processes in the same phase are interchangeable. */
const nameOf = (state: State): string =>
  JSON.stringify({ ...state, processes: state.processes.map((each) => JSON.stringify(each)).sort() });

/** What a process that has ended knew makes no difference any more. */
const ended = { endsAt: 0, token: 0, seen: 0, seenAt: 0, version: 0, leasedUntil: 0 };
const isOver = (phase: Process["phase"]): boolean => phase === "done" || phase === "late" || phase === "killed";

const become = (state: State, id: number, change: Partial<Process>): State => ({
  ...state,
  processes: state.processes.map((process, at) => {
    const next = { ...process, ...change };
    return at !== id ? process : isOver(next.phase) ? { ...next, ...ended } : next;
  }),
});

/** The placeholder that keeps others from loading. */
const leaseIn = ({ key, side }: State, { leaseInKey }: Rules): State["side"] =>
  leaseInKey ? (key && "token" in key ? key : undefined) : side;

const valueIn = ({ key }: State): boolean => key !== undefined && "version" in key;

function take(state: State, id: number, rules: Rules): State {
  const token = state.tokens + 1;
  const placeholder = { token, endsAt: rules.leaseExpires ? state.now + lease : never };
  const leased = become({ ...state, tokens: token }, id, { phase: "leased", token, leasedUntil: state.now + lease });
  return rules.leaseInKey ? { ...leased, key: placeholder } : { ...leased, side: placeholder };
}

/** SET NX GET: what stands there, or a lease. */
function claim(state: State, id: number, rules: Rules): State {
  if (valueIn(state)) return become(state, id, { phase: "done" });
  const held = leaseIn(state, rules);
  if (held) return become(state, id, { phase: "waiting", seen: held.token, seenAt: state.now });
  return take(state, id, rules);
}

/** A value, or a cold key that it tries to lease, or the placeholder of another process. */
function look(state: State, id: number, rules: Rules): State {
  const { seen, seenAt } = state.processes[id] as Process;
  const held = leaseIn(state, rules);
  if (valueIn(state) || !held) return claim(state, id, rules);
  if (held.token !== seen) return become(state, id, { seen: held.token, seenAt: state.now });
  return rules.staleLeaseIsTaken && state.now >= seenAt + lease ? take(state, id, rules) : state;
}

function store(state: State, id: number, rules: Rules): State {
  const { token, version } = state.processes[id] as Process;
  const done = become(state, id, { phase: "done", leasedUntil: 0 });
  const held = leaseIn(state, rules);
  const isOwn = held?.token === token;
  if (rules.storesIfOwn && !isOwn) return done;
  return { ...done, key: { version }, side: isOwn ? undefined : state.side };
}

/** Every command has the deadline of its call. */
const isLate = ({ now, processes }: State, id: number): boolean => {
  const { phase, endsAt } = processes[id] as Process;
  return now >= endsAt && (phase === "new" || phase === "missed" || phase === "waiting");
};

function stepsOf(state: State, id: number, rules: Rules): State[] {
  const { phase } = state.processes[id] as Process;
  if (isLate(state, id))
    return phase !== "waiting" || rules.waitersHaveTimers ? [become(state, id, { phase: "late" })] : [];
  switch (phase) {
    case "new":
      return [valueIn(state) ? become(state, id, { phase: "done" }) : become(state, id, { phase: "missed" })];
    case "missed":
      return [claim(state, id, rules)];
    case "leased":
      return [become(state, id, { phase: "loaded", version: state.source })];
    case "loaded":
      return [store(state, id, rules)];
    case "waiting":
      return [look(state, id, rules)];
    default:
      return [];
  }
}

/** Deleting the key, or writing the new value under it, ends the leases in it. */
function writerSteps(state: State, rules: Rules): State[] {
  if (state.writer === "idle") return [{ ...state, source: state.source + 1, writer: "changed" }];
  if (state.writer === "done") return [];
  const processes = state.processes.map((each) => (rules.leaseInKey ? { ...each, leasedUntil: 0 } : each));
  const written: State = { ...state, writer: "done", processes };
  return [
    { ...written, key: undefined },
    { ...written, key: { version: state.source } },
  ];
}

function nextOf(state: State, rules: Rules): State[] {
  const ids = state.processes.map((_, id) => id);
  const alive = ids.filter((id) => !isOver((state.processes[id] as Process).phase));
  const steps = alive.flatMap((id) => stepsOf(state, id, rules));
  steps.push(...writerSteps(state, rules));
  if (state.kills < 1) {
    steps.push(...alive.map((id) => ({ ...become(state, id, { phase: "killed", leasedUntil: 0 }), kills: 1 })));
  }
  if (!state.isMeddledWith && leaseIn(state, rules)) {
    const endless = <Held extends Stored>(held: Held): Held =>
      held && "token" in held ? { ...held, endsAt: never } : held;
    steps.push({ ...state, isMeddledWith: true, key: endless(state.key), side: endless(state.side) });
  }
  if (state.now < state.end && !ids.some((id) => isDue(state, id, rules))) steps.push(later(state));
  return steps;
}

/** What a process that waits does before time goes on: it gives up, or it finds that its turn has come. */
function isDue(state: State, id: number, rules: Rules): boolean {
  const { phase } = state.processes[id] as Process;
  return (phase === "waiting" || isLate(state, id)) && stepsOf(state, id, rules).some((next) => next !== state);
}

function later(state: State): State {
  const now = state.now + 1;
  const hasExpired = (held: Stored): boolean => held !== undefined && "token" in held && held.endsAt <= now;
  return {
    ...state,
    now,
    key: hasExpired(state.key) ? undefined : state.key,
    side: hasExpired(state.side) ? undefined : state.side,
  };
}

function brokenIn({ now, source, key, writer, processes }: State): string | undefined {
  if (writer !== "changed" && key && "version" in key && key.version < source) return "a stale value stays stored";
  const loaders = processes.filter(({ phase, leasedUntil }) => /leased|loaded/.test(phase) && now < leasedUntil);
  if (loaders.length > 1) return "two processes load while their leases hold";
  for (const { phase, endsAt, seenAt } of processes) {
    if (phase !== "waiting") continue;
    if (now > endsAt) return "a process waits beyond its deadline";
    const isAnyAtWork = processes.some((other) => /leased|loaded/.test(other.phase));
    if (!isAnyAtWork && now > seenAt + lease) return "a killed winner is not replaced";
  }
  return undefined;
}
