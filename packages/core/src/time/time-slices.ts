import { hasLastingTimers } from "./platform.ts";

/** Lets other tasks of the event loop run. Long work is done in slices with this in between. */
export function yieldToEventLoop(): Promise<void> {
  const { setImmediate: immediately } = globalThis as { setImmediate?: (callback: () => void) => void };
  return new Promise((resolve) => {
    // On the edge there is none, or one that throws when it is called.
    if (immediately && hasLastingTimers()) immediately(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Divides long work into time slices. */
export interface TimeSlices {
  /**
   * The pause that is due after some milliseconds or many steps; undefined when none is due.
   *
   * @param steps - How many steps were made since the last call: each takes some microseconds.
   */
  yieldIfDue(steps?: number): Promise<void> | undefined;
}

/** The same for work in small parts with other work in between: the time of the parts adds up. */
export interface WorkBudget {
  /** @param startedMs - When this part began. @returns the pause that is due after some milliseconds of work. */
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
