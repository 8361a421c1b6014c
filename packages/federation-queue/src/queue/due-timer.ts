import { longestTimerMs } from "@continuum-cache/core/kit";

/** A timer whose time can be moved forward. */
export interface DueTimer {
  /**
   * Fires at this time, by `performance.now()`, unless it is set to an earlier one. It may fire early: check what is
   * due.
   */
  set(dueMs: number): void;
  clear(): void;
}

/** On the edge: a timer that is late by this much has vanished with the call that set it. */
const vanishedMs = 5_000;

export function createDueTimer(onDue: () => void): DueTimer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let atMs = Number.POSITIVE_INFINITY;
  const fire = (): void => {
    atMs = Number.POSITIVE_INFINITY;
    onDue();
  };
  return {
    set(dueMs) {
      const nowMs = performance.now();
      if (atMs <= dueMs && nowMs < atMs + vanishedMs) return;
      clearTimeout(timer);
      atMs = dueMs;
      timer = setTimeout(fire, Math.min(longestTimerMs, Math.max(1, dueMs - nowMs)));
    },
    clear() {
      clearTimeout(timer);
      atMs = Number.POSITIVE_INFINITY;
    },
  };
}
