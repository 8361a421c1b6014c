import { compileGlob } from "@continuum-cache/core/kit";
import type { Evidence } from "../evidence.ts";
import type { Call, ClientLog, Effect } from "../history.ts";
import { nameOf, type Violation } from "../violation.ts";

/** How soon after its last mutation was confirmed a client is back at its primary. */
const returnSlackUs = 100_000;

/**
 * Objects to a write that was kept locally and is not in `pending` when its call is over. Only a client that is just
 * about to return may have told the primary already.
 */
export function findUntold(evidence: Evidence): Violation[] {
  return evidence.history.clients.flatMap(({ calls, changes }) =>
    calls.flatMap((call) => {
      if (!isKept(evidence, call) || call.pending > 0) return [];
      const next = changes.find(({ atUs }) => atUs >= call.endUs);
      if (next && next.atUs - call.endUs < returnSlackUs) return [];
      const detail = `${nameOf(call)} was kept locally, and \`pending\` was 0`;
      return [{ kind: "untold", detail, calls: [call] }];
    }),
  );
}

/**
 * Objects to an answer to a call that insisted on the primary, while the primary was yet to be told what the client had
 * done to the same key: it would not know its own write.
 */
export function findUnrefused(evidence: Evidence): Violation[] {
  return evidence.history.clients.flatMap((log) => {
    const kept = log.calls.filter((call) => isKept(evidence, call));
    return log.calls.flatMap((call) => {
      if (!call.insists || call.outcome !== "ok") return [];
      const untold = kept.find((earlier) => sharesKey(earlier, call) && isStillUntold(log, earlier, call));
      if (!untold) return [];
      const detail = `${nameOf(call)} was answered, though the primary was yet to be told of ${nameOf(untold)}`;
      return [{ kind: "unrefused", detail, calls: [untold, call] }];
    });
  });
}

/** Whether a call has changed something that only its client knows of. What a loader brought may have been dropped. */
const isKept = (evidence: Evidence, call: Call): boolean =>
  evidence.footing(call) === "local" && mayChange(call) && !call.effects.some(({ kind }) => kind === "load");

const mayChange = ({ effects }: Call): boolean =>
  effects.some(({ kind }) => kind !== "read" && kind !== "count" && kind !== "list");

/** Whether nothing was confirmed from the one call's end to the other's: nothing was added, and as much is pending. */
function isStillUntold({ calls, statuses }: ClientLog, kept: Call, later: Call): boolean {
  if (later.startUs < kept.endUs) return false;
  const isBetween = (fromUs: number, toUs: number): boolean => toUs >= kept.endUs && fromUs <= later.endUs;
  const added = calls.some(
    (call) => call !== kept && call !== later && mayChange(call) && isBetween(call.startUs, call.endUs),
  );
  return !added && statuses.every(({ atUs, pending }) => !isBetween(atUs, atUs) || pending === kept.pending);
}

const sharesKey = (earlier: Call, later: Call): boolean =>
  later.effects.some((effect) => "key" in effect && earlier.effects.some((other) => covers(other, effect.key)));

const covers = (effect: Effect, key: string): boolean =>
  effect.kind === "invalidate" ? compileGlob(effect.glob)(key) : effect.kind !== "read" && effect.key === key;
