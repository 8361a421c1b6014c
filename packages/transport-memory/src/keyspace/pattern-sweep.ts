import { createTimeSlices } from "@continuum-cache/core/kit";
import type { Page } from "../values/insertion-order.ts";

/** Whether a key is one of those that a deleted pattern matches. */
export type KeyTest = (id: string) => boolean;

/**
 * Deletes keys by pattern. From the moment a pattern is added, its keys count as gone (`hides`), however many there
 * are. A sweep over all keys, step by step, takes them out of memory afterwards.
 *
 * The steps come from the caller of `delete`, in slices, and from later writes. So the sweep also ends where the
 * request that began it has ended with its timers.
 */
export interface PatternSweep {
  /** Whether no pattern is left to look for. */
  readonly isIdle: boolean;
  /**
   * Deletes the keys that pass a test. Resolves when none of them takes memory any more.
   *
   * @param stamp - Keys that were written with a later stamp stay.
   */
  delete(test: KeyTest, stamp: number): Promise<void>;
  /** Whether a pattern has deleted a key that was written with this stamp. */
  hides(id: string, stamp: number): boolean;
  /** Looks at about so many more keys. */
  step(keys: number): void;
  /** Drops all patterns, when there are no keys any more. */
  reset(): void;
}

interface DeletedPattern {
  readonly test: KeyTest;
  readonly stamp: number;
}

export interface PatternSweepOptions {
  /** A page of all keys, as in `InsertionOrder`. */
  readonly page: (cursor: number, count: number) => Page;
  /** Removes a key that a pattern has deleted. */
  readonly removeHidden: (id: string) => void;
}

const keysPerStep = 100;

export function createPatternSweep({ page, removeHidden }: PatternSweepOptions): PatternSweep {
  /** Patterns for which the present walk over the keys looks from its start to its end. */
  let walking: readonly DeletedPattern[] = [];
  /** Patterns for the next walk. */
  let waiting: DeletedPattern[] = [];
  let cursor = 0;

  const step: PatternSweep["step"] = (keys) => {
    if (walking.length === 0) {
      if (waiting.length === 0) return;
      [walking, waiting, cursor] = [waiting, [], 0];
    }
    const { ids, cursor: next } = page(cursor, keys);
    for (const id of ids) removeHidden(id);
    cursor = next;
    if (next === 0) walking = [];
  };

  return {
    get isIdle() {
      return walking.length === 0 && waiting.length === 0;
    },
    async delete(test, stamp) {
      const pattern = { test, stamp };
      waiting.push(pattern);
      const slices = createTimeSlices();
      while (walking.includes(pattern) || waiting.includes(pattern)) {
        step(keysPerStep);
        const pause = slices.yieldIfDue(keysPerStep);
        if (pause) await pause;
      }
    },
    hides(id, stamp) {
      const isGone = (pattern: DeletedPattern): boolean => stamp <= pattern.stamp && pattern.test(id);
      return walking.some(isGone) || waiting.some(isGone);
    },
    step,
    reset() {
      walking = [];
      waiting = [];
    },
  };
}
