import type { History } from "../history.ts";
import type { AppendRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What was acknowledged and did not come to everybody, and why it did not. */
export interface Loss {
  readonly violations: readonly Violation[];
  /** Waited in a process that was killed: lost with it, as it was told. */
  readonly lostWaiting: number;
  /** Redis had accepted them, forgot them, and their process was killed before it could append them again. */
  readonly lostTogether: number;
}

/** After the server has forgotten, a process needs so long to notice and to append again. */
const repairMs = 10_000;
/** Clocks of records are rounded, and a fault begins before its record says so. */
const marginMs = 50;

/** Whatever was acknowledged comes to every other instance, or is counted in a gap that it is told. */
export function checkLoss(history: History): Loss {
  const violations: Violation[] = [];
  let lostWaiting = 0;
  let lostTogether = 0;
  const given = new Set(history.entries.map(({ reader, name }) => `${reader} ${name}`));
  const counted = (reader: string, { origin, seq = -1 }: AppendRecord): boolean =>
    history.gaps.some(
      (gap) => gap.reader === reader && gap.origin === origin && gap.fromSeq <= seq && seq <= gap.toSeq,
    );
  for (const append of history.appends) {
    if (append.outcome !== "stored" && append.outcome !== "pending") continue;
    const missing = history.readers.filter(
      (reader) => reader !== append.origin && !given.has(`${reader} ${append.name}`) && !counted(reader, append),
    );
    if (missing.length === 0) continue;
    if (append.outcome === "pending" && history.killedMs(append.process) !== undefined) lostWaiting++;
    else if (isForgotten(history, append)) lostTogether++;
    else {
      const detail = `${append.outcome} at ${append.endMs}, never given to ${missing.join(", ")}`;
      violations.push({ kind: "lost", process: append.process, event: append.name, detail });
    }
  }
  return { violations, lostWaiting, lostTogether };
}

/** Nobody was left who remembered it. */
function isForgotten({ killedMs, faults }: History, append: AppendRecord): boolean {
  const diedMs = killedMs(append.process);
  if (diedMs === undefined) return false;
  return faults.some(
    ({ forgetsFromMs, endMs }) =>
      forgetsFromMs !== undefined &&
      append.endMs >= forgetsFromMs - marginMs &&
      append.startMs <= endMs &&
      diedMs <= endMs + repairMs,
  );
}
