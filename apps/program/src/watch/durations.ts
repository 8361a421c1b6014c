/** Percentiles of durations, in milliseconds: half of them are at most `p50`. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** The durations of one stretch of time. */
export interface Durations {
  add(ms: number): void;
  /** Returns the percentiles, or `undefined` without any duration; then it starts again from none. */
  take(): Percentiles | undefined;
}

/** A random sample of this size stands for more durations, so that a busy stretch takes no more memory. */
const maxKept = 2_000;

export function createDurations(random: () => number = Math.random): Durations {
  let kept: number[] = [];
  let count = 0;
  return {
    add(ms) {
      count++;
      if (kept.length < maxKept) kept.push(ms);
      else {
        const place = Math.floor(random() * count);
        if (place < maxKept) kept[place] = ms;
      }
    },
    take() {
      const sorted = kept.sort((one, other) => one - other);
      kept = [];
      count = 0;
      const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
      return sorted.length === 0 ? undefined : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
    },
  };
}
