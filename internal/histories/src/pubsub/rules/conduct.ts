import { overdueCalls } from "../../checking/overdue.ts";
import { type History, heardIn } from "../history.ts";
import { nameOf } from "../record.ts";
import type { Violation } from "../violation.ts";

/** What a busy machine may add to a call, besides the stalls of its process. */
const slackMs = 1_000;

/**
 * Every call ends in time, no error is left without a handler, and after the last fault every subscriber hears again.
 */
export function checkConduct({ publishes, lives, faults, troubles, stalls, terms }: History): Violation[] {
  const { publishMs: deadlineMs, livenessMs } = terms;
  const violations: Violation[] = troubles.map(({ process, what }) => {
    return { kind: "trouble", subscriber: process, detail: what };
  });
  const timed = [...publishes.values()].map((call) => ({ process: "", ...call, what: "publish", deadlineMs }));
  for (const { call, detail } of overdueCalls(timed, faults, stalls, slackMs)) {
    violations.push({ kind: "overdue", channel: call.channel, message: nameOf(call), detail });
  }
  const healedMs = Math.max(...faults.map(({ endMs }) => endMs));
  for (const life of lives) {
    const { subscriber, atMs } = life.open;
    const untilMs = life.close?.atMs ?? Number.POSITIVE_INFINITY;
    const first = heardIn(life, publishes).find(
      ({ publish, delivery }) => publish.startMs >= healedMs && !delivery.degraded,
    );
    const heardMs = first?.delivery.atMs ?? Number.POSITIVE_INFINITY;
    const fromMs = Math.max(healedMs, atMs);
    // A machine that stands still lets no subscriber hear.
    const patienceMs = livenessMs + stalls.betweenMs(healedMs, Math.min(heardMs, untilMs));
    if (faults.length === 0 || untilMs <= healedMs + patienceMs || heardMs - fromMs <= patienceMs) continue;
    violations.push({ kind: "deaf", subscriber, detail: first ? `for ${heardMs - fromMs} ms` : "to the end" });
  }
  return violations;
}
