import { diedWithServer } from "../../checking/forgotten.ts";
import type { Finding } from "../../checking/rules.ts";
import type { History } from "../history.ts";
import type { AppendRecord } from "../record.ts";
import type { Violation } from "../violation.ts";

/** An event that was acknowledged comes to every other instance, or is counted in a gap that the instance is told. */
export function checkLoss(history: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Waited in a process that was killed: lost with it, as its caller had been told. */
  let lostWaiting = 0;
  /** Redis had accepted them and forgot them, and their process was killed before it could append them again. */
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
    else if (diedWithServer(append, history.killedMs(append.process), history.faults, history.stalls)) lostTogether++;
    else {
      const detail = `${append.outcome} at ${append.endMs}, never given to ${missing.join(", ")}`;
      violations.push({ kind: "lost", process: append.process, event: append.name, detail });
    }
  }
  return { violations, counts: { lostWaiting, lostTogether } };
}
