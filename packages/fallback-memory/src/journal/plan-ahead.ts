import { createTimeSlices } from "@continuum-cache/core/kit";
import { type Batch, keysPerStep, type ReplayPlan } from "./replay-plan.ts";

/** The next batches of a plan. They are made as they are needed: a plan may be a million keys long. */
export interface PlanAhead {
  /** Makes the next batches, at most so many, in slices. Afterwards `next` and `take` return them at once. */
  prepare(most: number): Promise<void>;
  /** The next batches, at most so many. */
  next(most: number): readonly Batch[];
  /** Removes and returns the next so many batches. */
  take(count: number): readonly Batch[];
}

export function createPlanAhead(plan: ReplayPlan): PlanAhead {
  const made: Batch[] = [];
  let isOver = false;

  const step = (): void => {
    const { value, done } = plan.next();
    if (done) isOver = true;
    else if (value) made.push(value);
  };
  const next = (most: number): readonly Batch[] => {
    while (made.length < most && !isOver) step();
    return made.slice(0, most);
  };

  return {
    async prepare(most) {
      const slices = createTimeSlices();
      while (made.length < most && !isOver) {
        step();
        const pause = slices.yieldIfDue(keysPerStep);
        if (pause) await pause;
      }
    },
    next,
    take(count) {
      next(count);
      return made.splice(0, count);
    },
  };
}
