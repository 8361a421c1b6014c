import { type Claim, createClaim, type WaitOptions } from "./claim.ts";

/** Runs work one after the other, in the order of the calls. */
export interface Mutex {
  /**
   * Runs work once all earlier work is over. Where a call can vanish with its request (on the edge), the next call
   * takes over.
   *
   * @param wait - How long to wait for the turn; the work itself has its own deadline.
   * @returns undefined when the wait was over first: the work was not begun, and will not be.
   */
  run<T>(work: () => Promise<T>, wait?: WaitOptions): Promise<{ readonly result: T } | undefined>;
  /** Resolves when all work so far is over. */
  idle(wait?: WaitOptions): Promise<boolean>;
}

interface Turn {
  readonly claim: Claim;
  before: Turn | undefined;
}

/**
 * Makes a mutex for this process, which also holds where calls can vanish.
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

  /** Waits for all earlier turns: one whose caller gave up while it waited still stands behind others. */
  const isFree = async (first: Turn | undefined, { timeoutMs, signal }: WaitOptions): Promise<boolean> => {
    const lateMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (let turn = first; turn; turn = turn.before) {
      if (!(await turn.claim.released({ timeoutMs: lateMs - performance.now(), signal }))) return false;
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
