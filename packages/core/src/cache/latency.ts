/** How long calls took, in milliseconds: half of them no longer than `p50`, and so on. 0 before the first call. */
export interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Durations in buckets that grow by 9 % each, so a summary is right to 9 % and its memory never grows. */
export interface Latency {
  record(durationMs: number): void;
  summary(): LatencySummary;
}

const bucketsPerDoubling = 8;
const smallestMs = 0.001;
const bucketCount = 30 * bucketsPerDoubling;

export function createLatency(): Latency {
  const counts = new Float64Array(bucketCount);
  let total = 0;
  const percentile = (share: number): number => {
    if (total === 0) return 0;
    let bucket = 0;
    for (let seen = counts[0] as number; seen < total * share; seen += counts[bucket] as number) bucket++;
    return smallestMs * 2 ** ((bucket + 0.5) / bucketsPerDoubling);
  };
  return {
    record(durationMs) {
      const bucket = Math.floor(Math.log2(durationMs / smallestMs) * bucketsPerDoubling);
      const index = Math.min(bucketCount - 1, Math.max(0, bucket));
      counts[index] = (counts[index] as number) + 1;
      total++;
    },
    summary: () => ({ p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) }),
  };
}
