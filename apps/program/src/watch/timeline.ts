import type { Backend, Cache } from "continuum-cache";
import type { Durations, Percentiles } from "./durations.ts";

/** The measurements of one stretch of time. */
export interface Sample {
  /** Its end, in milliseconds since 1970. */
  readonly atMs: number;
  readonly commandsPerSecond: number;
  readonly requestsPerSecond: number;
  /** Of the reads of this stretch; `null` when there was none. */
  readonly hitRate: number | null;
  /** How long requests took, in milliseconds; `null` when there was none. */
  readonly answers: Percentiles | null;
  readonly errors: number;
  /** Requests that a rate limit refused. */
  readonly limited: number;
  readonly backend: Backend;
  /** Writes that the primary has not confirmed yet. */
  readonly pending: number;
}

/** The counts of the service, besides those of the cache. */
export interface Counted {
  readonly requests: number;
  readonly limited: number;
  readonly durations: Durations;
}

/** The last ten minutes. */
export interface Timeline {
  /** Ends a stretch that is long enough. A home without timers calls this with each request for the samples. */
  sample(): void;
  /** The oldest first. */
  readonly samples: readonly Sample[];
}

const sampleMs = 5_000;
const maxSamples = 120;

export function createTimeline(cache: Pick<Cache, "stats">, counted: Counted, now: () => number): Timeline {
  const samples: Sample[] = [];
  const countsNow = () => ({ ...cache.stats(), requests: counted.requests, limited: counted.limited, atMs: now() });
  let before = countsNow();
  return {
    samples,
    sample() {
      const { atMs } = before;
      if (now() - atMs < sampleMs) return;
      const counts = countsNow();
      const seconds = (counts.atMs - atMs) / 1_000;
      const hits = counts.hits - before.hits;
      const reads = hits + counts.misses - before.misses;
      samples.push({
        atMs: counts.atMs,
        commandsPerSecond: (counts.commands - before.commands) / seconds,
        requestsPerSecond: (counts.requests - before.requests) / seconds,
        hitRate: reads === 0 ? null : hits / reads,
        answers: counted.durations.take() ?? null,
        errors: counts.errors - before.errors,
        limited: counts.limited - before.limited,
        backend: counts.backend,
        pending: counts.pending,
      });
      if (samples.length > maxSamples) samples.shift();
      before = counts;
    },
  };
}
