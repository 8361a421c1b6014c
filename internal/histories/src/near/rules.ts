import { applyRules, type Finding, type Rules, type Violation } from "../checking/rules.ts";
import type { FinalRecord, NearRecord, ReadRecord, WriteRecord } from "./record.ts";

/** What happened in one history. */
export interface NearHistory {
  readonly boundMs: number;
  readonly writes: readonly WriteRecord[];
  readonly reads: readonly ReadRecord[];
  readonly finals: readonly FinalRecord[];
}

/** The clocks of two processes differ by less than this: each adds its own time to that of its start. */
const clockSlackMs = 5;

/** What a near cache promises. */
const nearRules: Rules<NearHistory, Violation> = {
  bound: {
    promise: "No read shows less than what was confirmed before the bound began.",
    check: checkBound,
  },
  repair: {
    promise: "When nothing is written any more, every process reads what the server holds.",
    check: ({ finals }) =>
      finals
        .filter(({ near, server }) => near !== server)
        .map(({ process, key, near, server }) => ({
          kind: "unrepaired",
          process,
          detail: `${key}: version ${near} from the near cache, ${server} from the server`,
        })),
  },
};

function checkBound({ boundMs, writes, reads }: NearHistory): Violation[] {
  const confirmed = new Map<string, WriteRecord[]>();
  for (const write of writes) {
    if (write.isConfirmed) confirmed.set(write.key, [...(confirmed.get(write.key) ?? []), write]);
  }
  return reads.flatMap(({ process, key, version, how, startMs }) => {
    const missed = confirmed
      .get(key)
      ?.filter((write) => write.version > version && write.endMs < startMs - boundMs - clockSlackMs);
    const first = missed?.[0];
    if (!first) return [];
    const ageMs = Math.round(startMs - first.endMs);
    return [{ kind: "too old", process, detail: `${how} of ${key}: ${version}, but ${first.version} for ${ageMs} ms` }];
  });
}

/** Checks what one run has recorded. */
export function checkNear(records: readonly NearRecord[], boundMs: number): Required<Finding<Violation>> {
  const of = <Kind extends NearRecord["kind"]>(kind: Kind) =>
    records.filter((record): record is Extract<NearRecord, { kind: Kind }> => record.kind === kind);
  const history = { boundMs, writes: of("write"), reads: of("read"), finals: of("final") };
  const { violations, counts, times } = applyRules(nearRules, history);
  const troubles = of("trouble").map(({ process, what }) => ({ kind: "trouble", process, detail: what }));
  return {
    violations: [...violations, ...troubles],
    times,
    counts: {
      writes: history.writes.length,
      unconfirmed: history.writes.filter(({ isConfirmed }) => !isConfirmed).length,
      peeks: history.reads.filter(({ how }) => how === "peek").length,
      reads: history.reads.length,
      compared: history.finals.length,
      hits: of("count").reduce((sum, { hits }) => sum + hits, 0),
      syncs: of("count").reduce((sum, { syncs }) => sum + syncs, 0),
      kills: of("fault").filter(({ target }) => target === "kill").length,
      ...counts,
    },
  };
}
