import type { Backend, Cache } from "@continuum-cache/core";
import { type Change, nowUs, type Status } from "./history.ts";

/** A client's backend and `pending` over time. */
export interface StatusLog {
  readonly statuses: readonly Status[];
  readonly changes: readonly Change[];
  /** Looks now. A later look gets the same or a later status; a change in between is in `changes`. */
  note(): { readonly backend: Backend; readonly pending: number; readonly changes: number };
  stop(): void;
}

/** How often a client is looked at besides its calls and events. */
const pollMs = 3;

export function watchStatus(cache: Cache): StatusLog {
  const statuses: Status[] = [];
  const changes: Change[] = [];

  const note = (): ReturnType<StatusLog["note"]> => {
    const { currentBackend: backend, pending } = cache;
    const last = statuses.at(-1);
    if (last?.backend !== backend || last.pending !== pending) statuses.push({ atUs: nowUs(), backend, pending });
    return { backend, pending, changes: changes.length };
  };
  let kept = 0;
  const stops = [
    cache.on("kept", ({ mutations }) => {
      kept += mutations;
    }),
    cache.on("backend", ({ from, to, reason, recovery }) => {
      changes.push({ atUs: nowUs(), from, to, reason, ...(recovery && { recovery }), kept });
      // What is under way when the primary is left is kept before that is told.
      if (to === "upstash") kept = 0;
      note();
    }),
  ];
  const timer = setInterval(note, pollMs);
  note();
  return {
    statuses,
    changes,
    note,
    stop() {
      clearInterval(timer);
      for (const stopListening of stops) stopListening();
    },
  };
}
