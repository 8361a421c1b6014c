import { overdueCalls, type TimedCall } from "../../checking/overdue.ts";
import type { History, QueueTerms } from "../history.ts";
import type { Violation } from "../violation.ts";

/** Every call ends by its deadline, but for a process that stood still meanwhile; and nothing fails where nobody is told. */
export function checkDeadlines({ messages, calls, faults, troubles }: History, terms: QueueTerms): Violation[] {
  const violations: Violation[] = troubles.map(({ process, what }) => ({ kind: "trouble", process, detail: what }));
  const deadlineMs = terms.timeoutMs;
  const timed: TimedCall[] = [...calls];
  for (const { pushes, leases } of messages.values()) {
    for (const push of pushes) timed.push({ ...push, what: "push", deadlineMs });
    for (const { settles } of leases) for (const settle of settles) timed.push({ ...settle, deadlineMs });
  }
  for (const overdue of overdueCalls(timed, faults, terms.slackMs)) violations.push({ kind: "overdue", ...overdue });
  return violations;
}
