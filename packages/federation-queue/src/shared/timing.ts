import { longestTimerMs } from "@continuum-cache/core/kit";

/** An auto-reset event with one waiter. */
export interface Wake {
  /** Ends the present wait, or else the next one. */
  wake(): void;
  /** Waits until it is woken, or this long. @returns whether it was woken. */
  wait(ms: number): Promise<boolean>;
}

export function createWake(): Wake {
  let isWoken = false;
  let end: (() => void) | undefined;
  return {
    wake() {
      isWoken = true;
      end?.();
    },
    async wait(ms) {
      if (!isWoken) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          end = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        end = undefined;
      }
      const was = isWoken;
      isWoken = false;
      return was;
    },
  };
}

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

/** When a reader asks the server again which origins there are: after an interval, or earlier on request. */
export interface RefreshSchedule {
  /** Whether a refresh was requested since the last one began. */
  readonly isRequested: boolean;
  readonly msLeft: number;
  request(): void;
  /** Runs the refresh if it is due. After an error it stays due. */
  runIfDue(refresh: () => Promise<void>): Promise<void>;
}

/** Its first refresh is due at once. */
export function createRefreshSchedule(intervalMs: number): RefreshSchedule {
  let isRequested = true;
  let dueAtMs = 0;
  const isDue = (): boolean => isRequested || performance.now() >= dueAtMs;
  return {
    get isRequested() {
      return isRequested;
    },
    get msLeft() {
      return dueAtMs - performance.now();
    },
    request() {
      isRequested = true;
    },
    async runIfDue(refresh) {
      if (!isDue()) return;
      isRequested = false;
      try {
        await refresh();
      } catch (error) {
        isRequested = true;
        throw error;
      }
      // At random, so that processes which began together do not ask together.
      dueAtMs = performance.now() + intervalMs * (0.75 + 0.5 * Math.random());
    },
  };
}
