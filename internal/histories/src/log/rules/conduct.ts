import { overdueCalls } from "../../checking/overdue.ts";
import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** Calls end in time, names go to their owners, gaps are told only of losses, and all instances catch up. */
export function checkConduct(history: History): Violation[] {
  const { troubles, appends, commits, calls, faults, gaps, events, drains, caughtUp, killedMs, isExact, stalls } =
    history;
  const { timeoutMs: deadlineMs, slackMs } = history.terms;
  const violations: Violation[] = troubles.map(({ process, what }) => ({ kind: "trouble", process, detail: what }));
  const timed = [
    ...appends.map((call) => ({ ...call, what: "append", deadlineMs })),
    ...commits.map((call) => ({ ...call, what: "commit", deadlineMs })),
    ...calls,
  ];
  for (const { call, detail } of overdueCalls(timed, faults, stalls, slackMs)) {
    violations.push({ kind: "overdue", process: call.process, detail });
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
