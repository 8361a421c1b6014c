// A model of processes that share one limit, on one Redis that keeps its data and may be away for all of them. The
// search visits every order of events, in whole ticks.
//
// The model covers the protocol around the counters: which process may decide when, and what is counted where. Times
// are ages in ticks, so that the number of states is finite. The arithmetic of the counters is in
// `algorithms/models.test.ts`.

/** The rules of the protocol. Without any one of them a window may hold too much. */
export interface Rules {
  /** A process that Redis has never answered has no part of its own. */
  readonly coldHasNoPart: boolean;
  /** A process waits for a late answer. */
  readonly waits: boolean;
  /** The script frees by the earliest time that it may be, and charges at the latest. */
  readonly bounds: boolean;
  /** Usage in Redis' last answer stays in use for a window when an outage begins. */
  readonly countsUse: boolean;
  /** A process gets no new part during an outage, or with the next one. */
  readonly keepsCount: boolean;
  /** Processes replay to Redis what they accepted meanwhile, before Redis decides again. */
  readonly replays: boolean;
  /** A process keeps to its part for a while after Redis is back. */
  readonly holds: boolean;
  /** The call with which Redis comes back, and each call after it, is charged to the part too. */
  readonly reserves: boolean;
  /**
   * A process that was refused once keeps to its part from that call on, since others may have been refused every time.
   */
  readonly suspects: boolean;
}

/** The conditions of the promise, which no process can check or bring about. */
export interface Circumstances {
  /** When an outage begins, each process has had an answer about the key since others last used it. */
  readonly answersAreFresh: boolean;
  /** Each process sends a request during an outage, and so notices it. */
  readonly allNotice: boolean;
  /** Processes return, and replay what they accepted, before others stop keeping to their parts. */
  readonly allReturn: boolean;
}

export interface Model {
  readonly rules: Rules;
  readonly circumstances: Circumstances;
  readonly limit: number;
  readonly windowTicks: number;
  /** By how much each process's clock is off, in ticks: -1, 0 or 1. There are as many processes. */
  readonly clocks: readonly number[];
}

interface Process {
  readonly isKnown: boolean;
  readonly mode: "usual" | "away" | "held";
  /** The ages of the calls that it has accepted, and whether Redis knows them. */
  readonly own: readonly (readonly [age: number, isTold: boolean])[];
  /** How much of its part others may have used, and until when that counts, as an age. */
  readonly block: readonly [cost: number, age: number];
  readonly hasFreshAnswer: boolean;
}

interface State {
  readonly isUp: boolean;
  /** Redis comes and goes so quickly that some calls are answered after a refusal, and others are not. */
  readonly isFlapping: boolean;
  /** What Redis counted when the flapping began: the last answer that each process has had. */
  readonly word: readonly number[];
  /** The ages of the calls that Redis counts, by the times in the requests: below 0 where these are ahead. */
  readonly counted: readonly number[];
  /** The true ages of all calls that were allowed within the last window. */
  readonly accepted: readonly number[];
  readonly processes: readonly Process[];
}

/** The result of a search through all states. */
export interface Search {
  readonly states: number;
  /** The events that lead to a window that holds too much; undefined when there is none. */
  readonly violation: readonly string[] | undefined;
}

type Step = readonly [event: string, next: State];

export function search(model: Model): Search {
  const { limit, clocks } = model;
  const fresh: Process = { isKnown: false, mode: "usual", own: [], block: [0, 0], hasFreshAnswer: true };
  const first: State = {
    isUp: true,
    isFlapping: false,
    word: [],
    counted: [],
    accepted: [],
    processes: clocks.map(() => fresh),
  };
  const cameFrom = new Map<string, readonly [string, string] | undefined>([[JSON.stringify(first), undefined]]);
  const queue = [first];
  // Processes with the same clock are interchangeable.
  const areAlike = new Set(clocks).size === 1;
  for (let at = 0; at < queue.length; at++) {
    const state = queue[at] as State;
    const key = JSON.stringify(state);
    if (state.accepted.length > limit) return { states: cameFrom.size, violation: pathTo(cameFrom, key) };
    for (const [event, step] of stepsFrom(model, state)) {
      const next = areAlike ? inOrder(step) : step;
      const nextKey = JSON.stringify(next);
      if (cameFrom.has(nextKey)) continue;
      cameFrom.set(nextKey, [key, event]);
      queue.push(next);
    }
  }
  return { states: cameFrom.size, violation: undefined };
}

const inOrder = (state: State): State => ({
  ...state,
  processes: state.processes
    .map((process) => [JSON.stringify(process), process] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, process]) => process),
});

function pathTo(cameFrom: ReadonlyMap<string, readonly [string, string] | undefined>, key: string): string[] {
  const events: string[] = [];
  for (let step = cameFrom.get(key); step; step = cameFrom.get(step[0])) events.unshift(step[1]);
  return events;
}

function stepsFrom(model: Model, state: State): Step[] {
  const { circumstances, clocks } = model;
  const { isUp, processes } = state;
  const { isFlapping } = state;
  const steps: Step[] = [["tick", tick(model, state)]];
  if (isFlapping && (!circumstances.allNotice || processes.every(({ mode }) => mode !== "usual"))) {
    steps.push(["Redis flaps no longer", { ...state, isFlapping: false, word: [] }]);
  }
  if (
    isUp &&
    !isFlapping &&
    (!circumstances.answersAreFresh || processes.every((process) => !process.isKnown || process.hasFreshAnswer))
  ) {
    steps.push(["Redis leaves", { ...state, isUp: false }]);
    steps.push(["Redis flaps", { ...state, isFlapping: true, word: state.counted }]);
  }
  if (!isUp && (!circumstances.allNotice || processes.every(({ mode }) => mode === "away"))) {
    steps.push(["Redis is back", { ...state, isUp: true }]);
  }
  for (const at of clocks.keys()) {
    if (isFlapping) {
      steps.push([`${at} asks, refused at first`, askRedis(model, suspect(model, state, at), at)]);
      steps.push([`${at} asks, refused all the time`, askHere(model, state, at)]);
      continue;
    }
    steps.push([`${at} asks`, isUp ? askRedis(model, state, at) : askHere(model, state, at)]);
    if (isUp) steps.push([`${at} asks, answered late`, askSlowRedis(model, state, at)]);
    const process = processes[at] as Process;
    const areBack = processes.every(({ mode, own }) => mode !== "away" && own.every(([, isTold]) => isTold));
    if (process.mode === "held" && (!circumstances.allReturn || areBack)) {
      steps.push([
        `${at} keeps to its part no longer`,
        withProcess(state, at, { ...process, mode: "usual", block: [0, 0] }),
      ]);
    }
  }
  return steps;
}

function tick({ windowTicks }: Model, state: State): State {
  const older = (ages: readonly number[], most: number): number[] =>
    ages.map((age) => age + 1).filter((age) => age < most);
  return {
    ...state,
    counted: older(state.counted, windowTicks + 3),
    word: older(state.word, windowTicks + 3),
    accepted: older(state.accepted, windowTicks),
    processes: state.processes.map((process) => {
      const [cost, age] = process.block;
      return {
        ...process,
        own: process.own.map(([old, isTold]) => [old + 1, isTold] as const).filter(([old]) => old < windowTicks),
        block: cost === 0 || age + 1 >= windowTicks ? [0, 0] : [cost, age + 1],
      };
    }),
  };
}

/** A process's part, and how much of it is left. */
const partOf = ({ limit, clocks }: Model): number => Math.floor(limit / clocks.length);
const leftOf = (model: Model, { own, block }: Process): number => partOf(model) - own.length - block[0];

function askRedis(model: Model, state: State, at: number): State {
  const { rules, limit, windowTicks, clocks } = model;
  let process = state.processes[at] as Process;
  let { counted } = state;
  const isBack = process.mode === "away";
  if (isBack) {
    const unconfirmed = process.own.filter(([, isTold]) => !isTold).map(([age]) => age);
    if (rules.replays) counted = [...counted, ...unconfirmed];
    const told = process.own.map(([age]) => [age, true] as const);
    process = { ...process, own: told, mode: rules.holds ? "held" : "usual" };
    if (!rules.holds) process = { ...process, block: [0, 0] };
  }
  const off = clocks[at] as number;
  const [earliest, latest] = rules.bounds ? [off - 1, off + 1] : [off, off];
  const used = counted.filter((age) => age < windowTicks - earliest).length;
  const isHeld = process.mode === "held" && (rules.reserves || !isBack);
  const isFree = used < limit && (!isHeld || leftOf(model, process) > 0);
  process = { ...process, isKnown: true, hasFreshAnswer: true };
  if (!isFree) return withProcess({ ...state, counted: sorted(counted) }, at, process);
  const isCounted = process.mode !== "held" || rules.reserves;
  const own = isCounted ? [...process.own, [0, true] as const] : process.own;
  // Calls that are accepted while Redis flaps are within the parts.
  const others = state.processes.map((other, index) =>
    index === at || state.isFlapping ? other : { ...other, hasFreshAnswer: false },
  );
  const next = {
    ...state,
    processes: others,
    counted: sorted([...counted, -latest]),
    accepted: [0, ...state.accepted],
  };
  return withProcess(next, at, { ...process, own });
}

/** Redis decides, but its answer comes after the budget. */
function askSlowRedis(model: Model, state: State, at: number): State {
  const next = askRedis(model, state, at);
  if (model.rules.waits) return next;
  const before = state.processes[at] as Process;
  const unheard = { ...next, accepted: state.accepted };
  return decideHere(model, withProcess(unheard, at, before), at);
}

function askHere(model: Model, state: State, at: number): State {
  const { rules } = model;
  const process = state.processes[at] as Process;
  if (process.mode === "away") return decideHere(model, state, at);
  const own = rules.keepsCount ? process.own : [];
  const away: Process = { ...process, mode: "away", block: blockOf(model, state, process), own };
  return decideHere(model, withProcess(state, at, away), at);
}

/** Its part is counted from now on. */
function suspect(model: Model, state: State, at: number): State {
  const process = state.processes[at] as Process;
  if (!model.rules.suspects || process.mode !== "usual") return state;
  return withProcess(state, at, { ...process, mode: "held", block: blockOf(model, state, process) });
}

function blockOf(model: Model, state: State, process: Process): Process["block"] {
  const { rules, limit, clocks, windowTicks } = model;
  const part = partOf(model);
  // A process does not know usage that is newer than its last answer.
  const word = state.isFlapping ? state.word : state.counted;
  const used = process.hasFreshAnswer ? word.filter((age) => age < windowTicks).length : 0;
  const left = Math.floor(Math.max(0, limit - used - Math.ceil(used * (1 - 1 / clocks.length))) / clocks.length);
  const told = process.own.filter(([, isTold]) => isTold).length;
  return [rules.countsUse ? Math.max(0, part - left - told) : 0, 0];
}

function decideHere(model: Model, state: State, at: number): State {
  const process = state.processes[at] as Process;
  if (!process.isKnown && model.rules.coldHasNoPart) return state;
  const left = process.isKnown ? leftOf(model, process) : model.limit - process.own.length;
  if (left <= 0) return state;
  const own = [...process.own, [0, false] as const];
  return withProcess({ ...state, accepted: [0, ...state.accepted] }, at, { ...process, own });
}

const sorted = (ages: readonly number[]): number[] => [...ages].sort((one, other) => one - other);

const withProcess = (state: State, at: number, process: Process): State => ({
  ...state,
  processes: state.processes.map((other, index) => (index === at ? process : other)),
});
