/** A token bucket: so many at once, and so many a second in the long run. */
export interface Budget {
  /** Takes so many tokens, if there are enough. @returns whether it did. */
  take(count?: number): boolean;
  /** Whether the bucket is full. */
  readonly isFull: boolean;
}

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
