import { type Claim, createClaim, type WaitOptions } from "./claim.ts";

/** Work that is done one after the other, in the order in which it was asked for. */
export interface Mutex {
  /**
   * Runs work when all that was asked for before is over. Where a call can vanish, so can its turn: the next one takes
   * over.
   *
   * @param wait - How long to wait for the turn; the work itself has its own deadline.
   * @returns undefined when the wait was over first: the work was not begun, and will not be.
   */
  run<T>(work: () => Promise<T>, wait?: WaitOptions): Promise<{ readonly result: T } | undefined>;
  /** Resolves when all that was asked for so far is over. */
  idle(wait?: WaitOptions): Promise<boolean>;
}

interface Turn {
  readonly claim: Claim;
  before: Turn | undefined;
}

/**
 * Makes a line in which each call waits for its turn.
 *
 * @example
 * ```ts
 * import { createMutex } from "@continuum-cache/core/kit";
 *
 * const mutex = createMutex();
 * const turn = await mutex.run(async () => "done", { timeoutMs: 1_000 });
 * console.log(turn?.result ?? "waited in vain"); // "done"
 * ```
 */
export function createMutex(): Mutex {
  let last: Turn | undefined;

  /** One after the other: a place that was given up while it waited leaves those before it in the way. */
  const isFree = async (first: Turn | undefined, { timeoutMs, signal }: WaitOptions): Promise<boolean> => {
    const lateMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (let place = first; place; place = place.before) {
      if (!(await place.claim.released({ timeoutMs: lateMs - performance.now(), signal }))) return false;
    }
    return !signal?.aborted;
  };

  return {
    async run(work, wait = {}) {
      const own: Turn = { claim: createClaim(), before: last };
      last = own;
      try {
        if (!(await isFree(own.before, wait))) return undefined;
        own.before = undefined;
        return { result: await work() };
      } finally {
        own.claim.release();
        if (last === own) last = own.before;
      }
    },
    idle: (wait = {}) => isFree(last, wait),
  };
}
