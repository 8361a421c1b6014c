import { hasLastingTimers } from "./platform.ts";

/** Lets everything else that waits for its turn have it: long work is done in slices, and this comes in between. */
export function yieldToEventLoop(): Promise<void> {
  const { setImmediate: immediately } = globalThis as { setImmediate?: (callback: () => void) => void };
  return new Promise((resolve) => {
    // On the edge there is none, or one that throws when it is called.
    if (immediately && hasLastingTimers()) immediately(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Cuts long work into slices. */
export interface TimeSlices {
  /**
   * The pause that is due after some milliseconds or many steps, if it is.
   *
   * @param steps - How many steps were made since the last call: each takes some microseconds.
   */
  yieldIfDue(steps?: number): Promise<void> | undefined;
}

/** The same for work that comes bit by bit, with other things in between. */
export interface WorkBudget {
  /** @param startedMs - When this bit of work began. @returns the pause that is due after some milliseconds of work. */
  yieldIfSpent(startedMs: number): Promise<void> | undefined;
}

const longestSliceMs = 4;

/** A slice ends after so many steps at the latest, however fast the machine is. */
export const maxSliceSteps = 2_000;

export function createTimeSlices(): TimeSlices {
  let startedMs = performance.now();
  let made = 0;
  return {
    yieldIfDue(steps = 1) {
      made += steps;
      if (made < maxSliceSteps && performance.now() - startedMs < longestSliceMs) return undefined;
      return yieldToEventLoop().then(() => {
        startedMs = performance.now();
        made = 0;
      });
    },
  };
}

export function createWorkBudget(): WorkBudget {
  let workedMs = 0;
  return {
    yieldIfSpent(startedMs) {
      workedMs += performance.now() - startedMs;
      if (workedMs < longestSliceMs) return undefined;
      workedMs = 0;
      return yieldToEventLoop();
    },
  };
}
