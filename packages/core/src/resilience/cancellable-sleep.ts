import { createExpiringSet } from "../claims/expiring-set.ts";
import { onAbort } from "../time/on-abort.ts";

/** Waits that can all be ended at once. */
export interface CancellableSleep {
  /** Ended for good: from then on no call waits. */
  readonly isEnded: boolean;
  /** Waits, unless it is ended or the signal fires first; tells whether it waited to the end. */
  wait(ms: number, signal: AbortSignal | undefined): Promise<boolean>;
  end(): void;
}

/** A wait that has not ended so long after its time has vanished with its call. */
const graceMs = 60_000;

/**
 * Makes waits that end together, for whatever tries again and may be closed meanwhile.
 *
 * @example
 * ```ts
 * import { createCancellableSleep } from "@continuum-cache/core/kit";
 *
 * const sleep = createCancellableSleep();
 * const waited = await sleep.wait(250, undefined); // false once sleep.end() was called
 * ```
 */
export function createCancellableSleep(): CancellableSleep {
  // Not an AbortSignal: Node warns of a leak when more than ten wait on one.
  const waiting = createExpiringSet<() => void>();
  let isEnded = false;

  return {
    get isEnded() {
      return isEnded;
    },
    wait(ms, signal) {
      if (isEnded || signal?.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const finish = (waited: boolean): void => {
          clearTimeout(timer);
          waiting.delete(giveUp);
          stopHearing();
          resolve(waited);
        };
        const giveUp = (): void => finish(false);
        const timer = setTimeout(finish, ms, true);
        waiting.add(giveUp, ms + graceMs);
        const stopHearing = onAbort(signal, giveUp);
      });
    },
    end() {
      isEnded = true;
      for (const giveUp of [...waiting]) giveUp();
    },
  };
}
