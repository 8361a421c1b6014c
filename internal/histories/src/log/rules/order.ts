import type { History, Session } from "../history.ts";
import type { Violation } from "../violation.ts";

/** What the loops of one instance have seen of one origin. */
interface Progress {
  /** The last that was given, and the last whose commit is surely stored. */
  given: number;
  committed: number;
}

/**
 * Of each origin a loop gets every event in order, but for what it was told to be missing, exactly. The next loop of
 * the same instance goes on where this one had committed: it leaves nothing out, and repeats nothing that was surely
 * committed.
 */
export function checkOrder(history: History): Violation[] {
  const violations: Violation[] = [];
  const progress = new Map<string, Progress>();
  const sure = sureCommits(history);
  for (const session of history.sessions) {
    const key = `${session.reader} ${session.origin}`;
    const past = progress.get(key) ?? { given: 0, committed: 0 };
    progress.set(key, past);
    past.committed = Math.max(past.committed, sure(session));
    violations.push(...walk(session, past, history.isExact));
  }
  return violations;
}

function walk({ process, origin, items }: Session, past: Progress, isExact: boolean): Violation[] {
  const violations: Violation[] = [];
  /** The number that must come next; undefined at the beginning. */
  let next: number | undefined;
  for (const item of items) {
    const from = item.kind === "entry" ? item.seq : item.fromSeq;
    const event = `${origin}/${from}`;
    const tell = (kind: Violation["kind"], detail: string): void =>
      void violations.push({ kind, process, event, detail });
    const isReset = item.kind === "gap" && item.reason === "reset";
    if (!isReset) {
      if (next !== undefined && from !== next) tell("out-of-order", `${next} was to come`);
      if (next === undefined && from > past.given + 1) tell("out-of-order", `the loop before had got to ${past.given}`);
      if (next === undefined && isExact && from <= past.committed) {
        tell("repeated", `${past.committed} was committed before this loop began`);
      }
    }
    if (item.kind === "entry") next = item.seq + 1;
    else {
      const left = isReset ? 0 : item.toSeq - item.fromSeq + 1;
      if (item.missed !== left || left < 0) tell("wrong-count", `${item.missed} told, ${left} left out`);
      next = item.toSeq + 1;
    }
    past.given = isReset ? next - 1 : Math.max(past.given, next - 1);
    if (isReset) past.committed = 0;
  }
  return violations;
}

/** A commit that resolves only because the time is over may be stored later, or never. */
function sureCommits({ commits, terms: { timeoutMs } }: History): (session: Session) => number {
  const sure = commits.filter(({ outcome, startMs, endMs }) => outcome === "done" && endMs - startMs < timeoutMs * 0.8);
  return ({ reader, origin, openedMs }) =>
    sure.reduce(
      (last, commit) =>
        commit.reader === reader && commit.origin === origin && commit.endMs < openedMs
          ? Math.max(last, commit.seq)
          : last,
      0,
    );
}
