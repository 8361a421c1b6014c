import { type Claim, createClaim } from "@continuum-cache/core/kit";
import type { Cache } from "continuum-cache";
import type { Outcome } from "./api.ts";

/** A value, whether it came from the cache, and how long that took. */
export interface Answer<Value> extends Outcome {
  readonly value: Value;
}

/** Reads values through the cache, and says how each came about. */
export interface Answers {
  /** Reads a value, or loads and stores it. It does not store `undefined`. */
  get<Value>(key: string, load: () => Value): Promise<Answer<Value>>;
}

export function createAnswers(cache: Cache): Answers {
  // Callers that ask for a key at the same time share one load: a miss is one for all of them.
  const underWay = new Map<string, { missed: boolean; readonly claim: Claim }>();
  return {
    async get(key, load) {
      const startedAt = performance.now();
      const found = underWay.get(key);
      // In a Worker a read can vanish with its request: no other caller joins it then.
      const joined = found?.claim.isHeld ? found : undefined;
      const reading = joined ?? { missed: false, claim: createClaim() };
      underWay.set(key, reading);
      try {
        const value = await cache.getOrSet(key, () => {
          reading.missed = true;
          return load();
        });
        return { value, cache: reading.missed ? "miss" : "hit", ms: msSince(startedAt) };
      } finally {
        if (!joined) {
          reading.claim.release();
          if (underWay.get(key) === reading) underWay.delete(key);
        }
      }
    },
  };
}

/** The time since then, to a hundredth of a millisecond. */
export function msSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}
