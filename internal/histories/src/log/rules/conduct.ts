import { overdueCalls } from "../../checking/overdue.ts";
import type { History, LogTerms } from "../history.ts";
import type { Violation } from "../violation.ts";

/** Calls end in time, names are given to those whose they are, gaps are told only of losses, and everybody catches up. */
export function checkConduct(history: History, { timeoutMs, slackMs }: LogTerms): Violation[] {
  const { troubles, appends, commits, calls, faults, gaps, events, drains, caughtUp, killedMs, isExact } = history;
  const violations: Violation[] = troubles.map(({ process, what }) => ({ kind: "trouble", process, detail: what }));
  const timed = [
    ...appends.map(({ process, startMs, endMs }) => ({
      process,
      what: "append",
      startMs,
      endMs,
      deadlineMs: timeoutMs,
    })),
    ...commits.map(({ process, startMs, endMs }) => ({
      process,
      what: "commit",
      startMs,
      endMs,
      deadlineMs: timeoutMs,
    })),
    ...calls,
  ];
  for (const { process, detail } of overdueCalls(timed, faults, slackMs)) {
    violations.push({ kind: "overdue", process, detail });
  }
  for (const { outcome, process, name } of appends) {
    if (outcome !== "taken") continue;
    violations.push({ kind: "taken", process, event: name, detail: "the name is no other process's" });
  }
  if (isExact) {
    for (const { process, origin, fromSeq, toSeq, reason } of gaps) {
      const detail = `${reason}, to ${toSeq}, and nothing was lost`;
      violations.push({ kind: "false-gap", process, event: `${origin}/${fromSeq}`, detail });
    }
    for (const { process } of events.filter(({ name }) => name === "reset")) {
      violations.push({ kind: "false-gap", process, detail: "a reset was told, and nothing was lost" });
    }
  }
  for (const { pending, process } of drains) {
    if (pending === 0 || killedMs(process) !== undefined) continue;
    violations.push({ kind: "unfinished", process, detail: `${pending} appends wait in it still` });
  }
  for (const { behind, process } of caughtUp) {
    if (behind === 0) continue;
    violations.push({ kind: "unfinished", process, detail: `it is ${behind} events behind still` });
  }
  return violations;
}
