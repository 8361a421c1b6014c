/** What part of all took no longer: half no longer than `p50`. In milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** The durations of one stretch of time. */
export interface Durations {
  add(ms: number): void;
  /** `undefined` when nothing was added; then it begins anew. */
  take(): Percentiles | undefined;
}

/** Of more than these a random part stands for all, so that a busy stretch takes no more memory than a quiet one. */
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
