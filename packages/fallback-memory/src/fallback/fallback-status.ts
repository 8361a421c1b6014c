import type { BackendStatus, Clock } from "@continuum-cache/core";
import type { BackendEvents } from "../failover/backend-events.ts";
import type { FailoverController } from "../failover/failover-controller.ts";
import type { OutageJournal } from "../journal/outage-journal.ts";

/** The status of a fallback. */
export function createFallbackStatus(
  backend: FailoverController,
  journal: OutageJournal,
  events: BackendEvents,
  clock: Clock,
): BackendStatus {
  return {
    get currentBackend() {
      return backend.isLocal ? "local" : "upstash";
    },
    get pending() {
      return journal.size.pending;
    },
    get outage() {
      const { outage } = backend;
      if (!outage) return undefined;
      const { sinceMs, reason, state, recovery } = outage;
      const { entries, bytes, oldestMs } = journal.size;
      const ageMs = oldestMs === undefined ? 0 : Math.max(0, clock.now() - oldestMs);
      return { sinceMs, reason, state, journal: { entries, bytes, ageMs }, dropped: recovery.dropped };
    },
    onChange: (listener) => events.change.add(listener),
    onKept: (listener) => events.kept.add(listener),
    onFailure: (listener) => events.failure.add(listener),
  };
}
