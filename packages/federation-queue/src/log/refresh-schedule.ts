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
