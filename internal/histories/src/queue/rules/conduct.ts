import { overdueCalls } from "../../checking/overdue.ts";
import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** Every call ends by its deadline, and no error is left without a handler. */
export function checkDeadlines({ messages, calls, faults, troubles, stalls, terms }: History): Violation[] {
  const violations: Violation[] = troubles.map(({ process, what }) => ({ kind: "trouble", process, detail: what }));
  const deadlineMs = terms.timeoutMs;
  const timed: (Parameters<typeof overdueCalls>[0][number] & { readonly id?: string })[] = [...calls];
  for (const { pushes, leases } of messages.values()) {
    for (const push of pushes) timed.push({ ...push, what: "push", deadlineMs });
    for (const { settles } of leases) for (const settle of settles) timed.push({ ...settle, deadlineMs });
  }
  for (const { call, detail } of overdueCalls(timed, faults, stalls, terms.slackMs)) {
    const { process, id } = call;
    violations.push({ kind: "overdue", process, ...(id !== undefined && { id }), detail });
  }
  return violations;
}

/** When all is well again, everything that waits is worked on: in the queue, and in the producers that live. */
export function checkFinished({ left, drains, killedMs }: History): Violation[] {
  const inQueue = left
    .filter(({ depth, inFlight, delayed }) => depth !== 0 || inFlight !== 0 || delayed !== 0)
    .map(
      ({ depth, inFlight, delayed }): Violation => ({
        kind: "unfinished",
        detail: `${depth} wait, ${inFlight} are given out, ${delayed} are delayed still`,
      }),
    );
  const inProducers = drains
    .filter(({ pending, process }) => pending > 0 && killedMs(process) === undefined)
    .map(
      ({ pending, process }): Violation => ({
        kind: "unfinished",
        process,
        detail: `${pending} pushes wait in it still`,
      }),
    );
  return [...inQueue, ...inProducers];
}

/**
 * A message is given up only when its handler has failed `maxAttempts` times by itself: a process that dies is no
 * failure.
 */
export function checkInnocentDeath({ messages, terms: { maxAttempts } }: History): Violation[] {
  return [...messages.values()].flatMap(({ id, deaths, leases }) => {
    const failures = leases.filter(({ hasFailed }) => hasFailed).length;
    const needed = `${failures} failures of ${maxAttempts}`;
    return deaths
      .filter(({ reason }) => reason !== "failed" || failures < maxAttempts)
      .map(
        ({ reason, failures: counted, crashes }): Violation => ({
          kind: "innocent-death",
          id,
          detail: `dead (${reason}; ${counted} failures, ${crashes} crashes counted) after ${needed}`,
        }),
      );
  });
}
