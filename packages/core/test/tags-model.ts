/** The rules of the code. Each can be left out, to see what it is for. */
export interface Rules {
  /** The markers in an entry were read before its loader began. */
  readonly markersBeforeLoad: boolean;
  /** An absent marker is created before the loader begins, not when the value is stored. */
  readonly createdBeforeLoad: boolean;
  /** It is created only where it is absent (NX). */
  readonly createdIfAbsent: boolean;
  /** An absent marker proves nothing: the entry is a miss, and no entry is stored with it. */
  readonly absentIsMiss: boolean;
  /** A marker that gets a longer life keeps its key (PEXPIRE). Otherwise its text is written once more. */
  readonly extendedInPlace: boolean;
  /** Tags that are known after the load count only if `latest` is the same as before the load. */
  readonly latestCompared: boolean;
  /** It is compared once more after a marker was created. */
  readonly latestComparedAgain: boolean;
  /** A caller that joins a load that is under way compares its markers, which it reads after it came. */
  readonly joinersCompare: boolean;
}

export const allRules: Rules = {
  markersBeforeLoad: true,
  createdBeforeLoad: true,
  createdIfAbsent: true,
  absentIsMiss: true,
  extendedInPlace: true,
  latestCompared: true,
  latestComparedAgain: true,
  joinersCompare: true,
};

export interface Verdict {
  readonly states: number;
  /** What a rule that is missing leads to; undefined when every promise is kept. */
  readonly broken: string | undefined;
}

type Phase = "new" | "create" | "created" | "ready" | "loading" | "late create" | "late created" | "fill" | "done";

interface Loader {
  /** Whether it learns the tag of its value only from the value. */
  readonly isLate: boolean;
  readonly phase: Phase;
  /** The markers as it read them; 0 for absent. */
  readonly marker: number;
  readonly latest: number;
  /** How many invalidations had returned when its loader began; the loader reads what the database then holds. */
  readonly born: number;
}

interface Reader {
  readonly phase: "new" | "reading" | "joined" | "done";
  /** How many invalidations had returned when it came. */
  readonly since: number;
  /** What it has found of each: the entry's load and marker, and the marker at the server. */
  readonly entry: { readonly born: number; readonly marker: number } | undefined;
  readonly marker: number | undefined;
}

interface State {
  /** The marker of the one tag, and the one of the latest invalidation; 0 for absent. */
  readonly marker: number;
  readonly latest: number;
  /** What is stored under the key of each loader. */
  readonly entries: readonly ({ readonly born: number; readonly marker: number } | undefined)[];
  readonly loaders: readonly Loader[];
  readonly reader: Reader;
  readonly invalidations: number;
  readonly evictions: number;
  readonly texts: number;
}

/**
 * Every interleaving of the commands of two loaders of two keys with one tag, one reader that may join a load,
 * invalidations, and evictions of any marker.
 *
 * The promises: a reader that begins after an invalidation has returned never gets a value whose load began before it.
 * And where nothing is invalidated or evicted, both values can be read in the end.
 */
export function exploreTags(late: readonly boolean[], rules: Rules, mostInvalidations = 2, mostEvictions = 1): Verdict {
  const loader = { phase: "new", marker: 0, latest: 0, born: 0 } as const;
  const first: State = {
    marker: 0,
    latest: 0,
    entries: late.map(() => undefined),
    loaders: late.map((isLate) => ({ isLate, ...loader })),
    reader: { phase: "new", since: 0, entry: undefined, marker: undefined },
    invalidations: 0,
    evictions: 0,
    texts: 0,
  };
  const seen = new Set([JSON.stringify(first)]);
  const queue = [first];
  for (let state = queue.pop(); state; state = queue.pop()) {
    const broken = brokenIn(state, rules);
    if (broken) return { states: seen.size, broken };
    const steps = [
      ...state.loaders.flatMap((each, at) => loaderSteps(state, each, at, rules)),
      ...readerSteps(state, rules),
    ];
    const { invalidations, evictions } = state;
    if (invalidations < mostInvalidations) {
      steps.push({ ...state, marker: 0, latest: 0, invalidations: invalidations + 1 });
    }
    if (evictions < mostEvictions) {
      steps.push({ ...state, marker: 0, evictions: evictions + 1 }, { ...state, latest: 0, evictions: evictions + 1 });
    }
    for (const next of steps) {
      const name = JSON.stringify(next);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(next);
    }
  }
  return { states: seen.size, broken: undefined };
}

/** Creates a marker. Every text is a new one. */
function create(state: State, name: "marker" | "latest", { createdIfAbsent }: Rules): State {
  if (createdIfAbsent && state[name] !== 0) return state;
  return { ...state, [name]: state.texts + 1, texts: state.texts + 1 };
}

function loaderSteps(state: State, loader: Loader, at: number, rules: Rules): State[] {
  const become = (change: Partial<Loader>, from: State = state): State => ({
    ...from,
    loaders: from.loaders.map((each, index) => (index === at ? { ...each, ...change } : each)),
  });
  const { isLate, marker, latest, born } = loader;
  const own = isLate ? "latest" : "marker";
  switch (loader.phase) {
    case "new": {
      if (!isLate && !rules.markersBeforeLoad) return [become({ phase: "ready" })];
      const mustCreate = state[own] === 0 && (isLate || (rules.createdBeforeLoad && rules.absentIsMiss));
      // A late loader may have read the marker before, for another value.
      const read = { marker: state.marker, latest: state.latest, phase: mustCreate ? "create" : "ready" } as const;
      return isLate ? [become(read), become({ ...read, marker: 0 })] : [become(read)];
    }
    case "create":
      return [become({ phase: "created" }, create(state, own, rules))];
    case "created":
      return [become({ phase: "ready", [own]: state[own] })];
    case "ready":
      return [become({ phase: "loading", born: state.invalidations })];
    case "loading": {
      if (!isLate) return [become({ phase: "fill", ...(!rules.markersBeforeLoad && { marker: state.marker }) })];
      const isSeen = marker !== 0 && marker === state.marker;
      const isUnchanged = !rules.latestCompared || (latest !== 0 && latest === state.latest);
      if (!isSeen && !isUnchanged) return [become({ phase: "done" })];
      return [become({ phase: state.marker === 0 ? "late create" : "fill", marker: state.marker })];
    }
    case "late create":
      return [become({ phase: "late created" }, create(state, "marker", rules))];
    case "late created": {
      const isUnchanged = !rules.latestComparedAgain || latest === state.latest;
      return [become({ phase: isUnchanged ? "fill" : "done", marker: state.marker })];
    }
    case "fill": {
      const mayCreate = marker === 0 && !rules.createdBeforeLoad;
      const before = mayCreate ? create(state, "marker", rules) : state;
      const stored = mayCreate ? before.marker : marker;
      if (stored === 0 && rules.absentIsMiss) return [become({ phase: "done" })];
      const entries = before.entries.map((entry, index) => (index === at ? { born, marker: stored } : entry));
      const filled = become({ phase: "done", marker: stored }, { ...before, entries });
      return rules.extendedInPlace ? [filled] : [filled, { ...filled, marker: stored }];
    }
    case "done":
      return [];
  }
}

function readerSteps(state: State, rules: Rules): State[] {
  const { reader } = state;
  const become = (change: Partial<Reader>): State => ({ ...state, reader: { ...reader, ...change } });
  const since = state.invalidations;
  if (reader.phase === "new") {
    const isLoading = state.loaders[0]?.phase === "loading" || state.loaders[0]?.phase === "fill";
    const joins = isLoading ? [become({ phase: "joined", since })] : [];
    return [become({ phase: "reading", since }), ...joins];
  }
  if (reader.phase === "joined") {
    const [load] = state.loaders;
    if (load?.phase !== "done" || reader.entry) return [];
    // Without the rule it takes what the load has brought, whatever became of it.
    const { born, marker } = load;
    return [become({ entry: { born, marker }, marker: rules.joinersCompare ? state.marker : marker })];
  }
  if (reader.phase === "done") return [];
  // The two may be read in any order: nothing relies on one command for both.
  const steps = reader.marker === undefined ? [become({ marker: state.marker })] : [];
  if (reader.entry === undefined) {
    for (const entry of state.entries) if (entry) steps.push(become({ entry }));
  }
  return steps;
}

function brokenIn(state: State, rules: Rules): string | undefined {
  const { reader, loaders, entries, invalidations, evictions, marker } = state;
  const isHit = ({ marker: stored }: { readonly marker: number }, read: number): boolean =>
    stored === read && (stored !== 0 || !rules.absentIsMiss);
  if (reader.entry && reader.marker !== undefined && reader.entry.born < reader.since) {
    const isTaken = isHit(reader.entry, reader.marker) || (reader.phase === "joined" && !rules.joinersCompare);
    if (isTaken) return "a value is served whose load began before an invalidation";
  }
  const isQuiet = invalidations === 0 && evictions === 0 && loaders.every(({ phase }) => phase === "done");
  if (isQuiet && !entries.every((entry) => entry && isHit(entry, marker))) return "a value is lost without a reason";
  return undefined;
}
