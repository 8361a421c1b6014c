import { isTransportError } from "@continuum-cache/core";

/** Sizes and deadlines of the trips of a replay, adapted to how fast the primary answers. */
export interface Pace {
  /** How many batches go in one trip. */
  readonly batches: number;
  /** How long the latest trip took, in milliseconds. */
  readonly tripMs: number;
  /** How long the latest answered PING took, in milliseconds: the least that a call takes. */
  readonly pingMs: number;
  /** Sends a PING, with more time than a call has and less than a trip of the replay. */
  ping<Result>(work: (timeoutMs: number) => Promise<Result>): Promise<Result>;
  /** Makes a trip, with the time that it may take. */
  trip<Result>(work: (timeoutMs: number) => Promise<Result>): Promise<Result>;
}

const mostBatches = 16;
/**
 * A trip may take so many times as long as the latest did, within bounds in milliseconds; twice that after each
 * timeout.
 */
const allowed = { timesTheLatest: 20, leastMs: 1_000, mostMs: 20_000 };
/** The most time of a PING, in milliseconds: an unanswered one delays the next. */
const mostPingMs = 3_000;

/**
 * The deadline of callers is none for a trip of the recovery: they want an answer soon, it wants to get through. A
 * trip that timed out is tried again with fewer batches and more time.
 */
export function createPace(): Pace {
  let batches = mostBatches / 2;
  let tripMs = 0;
  let pingMs = 0;
  let timeouts = 0;
  const usualMs = (): number => Math.max(allowed.leastMs, tripMs * allowed.timesTheLatest);
  return {
    get batches() {
      return batches;
    },
    get tripMs() {
      return tripMs;
    },
    get pingMs() {
      return pingMs;
    },
    async ping(work) {
      const startedMs = performance.now();
      const result = await work(Math.min(usualMs(), mostPingMs));
      pingMs = performance.now() - startedMs;
      tripMs = pingMs;
      return result;
    },
    async trip(work) {
      const startedMs = performance.now();
      try {
        const result = await work(Math.min(usualMs() * 2 ** timeouts, allowed.mostMs));
        batches = Math.min(batches * 2, mostBatches);
        timeouts = 0;
        return result;
      } catch (error) {
        if (isTransportError(error) && error.kind === "timeout") {
          batches = Math.max(1, Math.floor(batches / 2));
          timeouts++;
        }
        throw error;
      } finally {
        tripMs = performance.now() - startedMs;
      }
    },
  };
}
