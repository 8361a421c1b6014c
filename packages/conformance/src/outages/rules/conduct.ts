import type { Evidence } from "../evidence.ts";
import type { ClientLog, History } from "../history.ts";
import { nameOf, type Violation } from "../violation.ts";

/** What a busy machine may add to a deadline, besides the time in which the process was not run at all. */
const deadlineSlackMs = 100;

/** Objects to calls that took longer than they may, or were rejected although they had not insisted on the primary. */
export function findBrokenCalls({ calls, history }: Evidence): Violation[] {
  return calls.flatMap((call) => {
    const violations: Violation[] = [];
    const tookMs = (call.endUs - call.startUs) / 1_000;
    if (tookMs - call.stalledMs > call.allowedMs + deadlineSlackMs) {
      const message = `${nameOf(call)} took ${Math.round(tookMs)} ms of ${call.allowedMs} (its process stood still for ${Math.round(call.stalledMs)} ms)`;
      violations.push({ kind: "deadline", message, calls: [call] });
    }
    if (
      call.outcome !== "ok" &&
      !call.insists &&
      !mayBeFull(history, call.outcome.error) &&
      !wasLate(call.outcome.error)
    ) {
      const message = `${nameOf(call)} was rejected: ${call.outcome.error}`;
      violations.push({ kind: "rejected", message, calls: [call] });
    }
    return violations;
  });
}

/** Only a client whose journal is small may refuse what it has no room for. */
const mayBeFull = ({ variant }: History, error: string): boolean =>
  variant.schedule === "small-journal" && error.includes("outage journal is full");

/**
 * A call whose own time was over before its turn came, or before all of a pattern was deleted: that is no failure of the
 * server, so the local memory does not answer in its place.
 */
const wasLate = (error: string): boolean =>
  /waited too long behind earlier calls|Not all keys that match were deleted within/.test(error);

/** Objects to clients that have not come back, gave mutations up, or whose backends did not alternate. */
export function findUnsettled({ history }: Evidence): Violation[] {
  return history.clients.flatMap((log) => [
    ...unsettled(log),
    ...givenUp(log),
    ...wrongReports(log),
    ...illegalChanges(log),
  ]);
}

function unsettled({ client, settled, statuses }: ClientLog): Violation[] {
  if (settled) return [];
  const last = statuses.at(-1);
  const message = `client ${client} had not settled in time after the last fault: ${last?.backend}, ${last?.pending} pending`;
  return [{ kind: "unsettled", message, calls: [] }];
}

/** A journal gives nothing up, and none of the commands is one that Redis refuses. */
function givenUp({ client, changes }: ClientLog): Violation[] {
  return changes.flatMap(({ recovery, atUs }) => {
    if (!recovery?.dropped) return [];
    const message = `client ${client} gave up ${recovery.dropped} mutations when it came back at ${atUs} µs`;
    return [{ kind: "lost", message, calls: [] }];
  });
}

function wrongReports({ client, changes }: ClientLog): Violation[] {
  return changes.flatMap(({ recovery, kept, atUs }) => {
    if (!recovery) return [];
    const told = recovery.replayed + recovery.superseded + recovery.dropped;
    if (told === kept) return [];
    const message = `client ${client} told what became of ${told} mutations at ${atUs} µs, and had kept ${kept}`;
    return [{ kind: "report", message, calls: [] }];
  });
}

function illegalChanges({ client, changes, statuses }: ClientLog): Violation[] {
  const at = changes.findIndex(({ from, to }, index) => {
    const expected = changes[index - 1]?.to ?? "upstash";
    return from !== expected || to === from;
  });
  const illegal = changes[at];
  const negative = statuses.find(({ pending }) => !(pending >= 0));
  return [
    ...(illegal ? [`client ${client} went ${illegal.from}→${illegal.to} after ${at} changes`] : []),
    ...(negative ? [`client ${client} had ${negative.pending} mutations pending`] : []),
  ].map((message) => ({ kind: "transition", message, calls: [] }));
}
