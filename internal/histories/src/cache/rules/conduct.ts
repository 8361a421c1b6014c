import type { Evidence } from "../evidence.ts";
import type { ClientLog, History, Rejection } from "../history.ts";
import { nameOf, type Violation } from "../violation.ts";

/** What a busy machine may add to a deadline, besides the time in which the process was not run at all. */
const deadlineSlackMs = 100;

/** Objects to calls that took longer than they may, or were rejected although they had not insisted on the primary. */
export function findBrokenCalls({ calls, history }: Evidence): Violation[] {
  return calls.flatMap((call) => {
    const violations: Violation[] = [];
    const tookMs = (call.endUs - call.startUs) / 1_000;
    if (tookMs - call.stalledMs > call.allowedMs + deadlineSlackMs) {
      const stalled = `its process stood still for ${Math.round(call.stalledMs)} ms`;
      const detail = `${nameOf(call)} took ${Math.round(tookMs)} ms of ${call.allowedMs} (${stalled})`;
      violations.push({ kind: "deadline", detail, calls: [call] });
    }
    if (call.outcome !== "ok" && !call.insists && !isExcused(history, call.outcome)) {
      const detail = `${nameOf(call)} was rejected: ${call.outcome.error}`;
      violations.push({ kind: "rejected", detail, calls: [call] });
    }
    return violations;
  });
}

/** The local memory answers in the server's place: not in place of the time that the caller gave. */
const isExcused = ({ variant }: History, { error, ranOut }: Rejection): boolean =>
  ranOut || (variant.schedule === "small-journal" && error.includes("outage journal is full"));

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
  const state = `${last?.backend}, ${last?.pending} pending`;
  const detail = `client ${client} had not settled in time after the last fault: ${state}`;
  return [{ kind: "unsettled", detail, calls: [] }];
}

/** A journal gives nothing up, and none of the commands is one that Redis refuses. */
function givenUp({ client, changes }: ClientLog): Violation[] {
  return changes.flatMap(({ recovery, atUs }) => {
    if (!recovery?.dropped) return [];
    const detail = `client ${client} gave up ${recovery.dropped} mutations when it came back at ${atUs} µs`;
    return [{ kind: "lost", detail, calls: [] }];
  });
}

function wrongReports({ client, changes }: ClientLog): Violation[] {
  return changes.flatMap(({ recovery, kept, atUs }) => {
    if (!recovery) return [];
    const told = recovery.replayed + recovery.superseded + recovery.dropped;
    if (told === kept) return [];
    const detail = `client ${client} told what became of ${told} mutations at ${atUs} µs, and had kept ${kept}`;
    return [{ kind: "report", detail, calls: [] }];
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
  ].map((detail) => ({ kind: "transition", detail, calls: [] }));
}
