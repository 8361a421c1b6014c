/** So many at once, and so many a second in the long run. */
export interface Budget {
  /** Whether so many are left; then they are spent. */
  take(count?: number): boolean;
  /** Whether nothing of it is spent. */
  readonly isFull: boolean;
}

/** A token bucket. */
export function createBudget(most: number, perSecond: number): Budget {
  let left = most;
  let filledMs = performance.now();
  const fill = (): void => {
    const nowMs = performance.now();
    left = Math.min(most, left + ((nowMs - filledMs) / 1_000) * perSecond);
    filledMs = nowMs;
  };
  return {
    take(count = 1) {
      fill();
      if (left < count) return false;
      left -= count;
      return true;
    },
    get isFull() {
      fill();
      return left >= most;
    },
  };
}
