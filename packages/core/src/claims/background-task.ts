import { hasLastingTimers } from "../time/platform.ts";
import { type Claim, createClaim, type WaitOptions } from "./claim.ts";

/** Work in the background of which at most one run is active. */
export interface BackgroundTask {
  readonly isRunning: boolean;
  /** Starts a run, or has the present run followed by another one. */
  start(): void;
  /** Starts a new run if the call that owned the present one has vanished; else does nothing. */
  takeOver(): void;
  /**
   * For a call that waits for the result of the work: takes over if the owner of the run vanishes, until `isDone()`
   * or the wait is over. Where calls cannot vanish it resolves at once.
   */
  superviseUntil(isDone: () => boolean, wait?: WaitOptions): Promise<void>;
  /** Resolves when no run is active. */
  idle(wait?: WaitOptions): Promise<boolean>;
}

/** How often a supervising call checks whether the run is done. */
const lookMs = 25;

/**
 * Makes work that any call may start and that never runs twice at once. Where the call that owns a run can vanish,
 * the next `start` takes over.
 *
 * @param work - Does all there is to do, and looks at `isCurrent` after each `await`: false means that another run has
 *   taken over. It must not reject.
 *
 * @example
 * ```ts
 * import { createBackgroundTask } from "@continuum-cache/core/kit";
 *
 * const waiting = ["a", "b"];
 * const sending = createBackgroundTask(async (isCurrent) => {
 *   while (waiting.length > 0 && isCurrent()) console.log("sent", waiting.shift());
 * });
 * sending.start();
 * await sending.idle();
 * ```
 */
export function createBackgroundTask(work: (isCurrent: () => boolean) => Promise<void>): BackgroundTask {
  let current: { readonly claim: Claim; isToRepeat: boolean } | undefined;

  const begin = async (): Promise<void> => {
    const own = { claim: createClaim(), isToRepeat: false };
    current = own;
    const isCurrent = (): boolean => current === own;
    try {
      do {
        own.isToRepeat = false;
        await work(isCurrent);
      } while (own.isToRepeat && isCurrent());
    } finally {
      if (isCurrent()) current = undefined;
      own.claim.release();
    }
  };
  const takeOver = (): void => {
    if (current && !current.claim.isHeld) void begin();
  };

  return {
    get isRunning() {
      return current?.claim.isHeld ?? false;
    },
    start() {
      if (current?.claim.isHeld) current.isToRepeat = true;
      else void begin();
    },
    takeOver,
    async superviseUntil(isDone, { timeoutMs = Number.POSITIVE_INFINITY, signal } = {}) {
      const lateMs = performance.now() + timeoutMs;
      while (!hasLastingTimers() && !isDone() && !signal?.aborted && performance.now() < lateMs) {
        await new Promise((resolve) => setTimeout(resolve, lookMs));
        takeOver();
      }
    },
    async idle(wait = {}) {
      return current ? current.claim.released(wait) : true;
    },
  };
}
