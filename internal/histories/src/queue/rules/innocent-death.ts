import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** A message is given up only when its handler has failed `maxAttempts` times by itself: a process that dies is no failure. */
export function checkInnocentDeath({ messages }: History, maxAttempts: number): Violation[] {
  return [...messages.values()].flatMap(({ id, deaths, leases }) => {
    const failures = leases.filter(({ hasFailed }) => hasFailed).length;
    return deaths
      .filter(({ reason }) => reason !== "failed" || failures < maxAttempts)
      .map(
        ({ reason, failures: counted, crashes }): Violation => ({
          kind: "innocent-death",
          id,
          detail: `dead (${reason}; ${counted} failures, ${crashes} crashes counted) after ${failures} failures of ${maxAttempts}`,
        }),
      );
  });
}
