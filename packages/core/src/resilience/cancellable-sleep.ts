import { createExpiringSet } from "../claims/expiring-set.ts";
import { onAbort } from "../time/on-abort.ts";

/** Waits that can be ended together. */
export interface CancellableSleep {
  /** Whether `end` was called: from then on no call waits. */
  readonly isEnded: boolean;
  /** Waits until the time is over, `end` is called or the signal fires. Resolves to whether the time is over. */
  wait(ms: number, signal: AbortSignal | undefined): Promise<boolean>;
  end(): void;
}

/** A wait that has not ended this long after its time has vanished with its call. */
const graceMs = 60_000;

/**
 * Makes pauses between attempts that end early when their owner is closed.
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
