/** The pauses between tries that fail: each is twice as long as the one before it, up to a limit. */
export interface Backoff {
  /** The next pause, in milliseconds: at random 50 % to 150 % of its length, so that processes do not retry in step. */
  next(): number;
  /** Begins anew with the first pause: a try has succeeded. */
  reset(): void;
}

/** How long the pauses of a {@link Backoff} are. */
export interface BackoffLimits {
  /** The first pause, in milliseconds. */
  readonly firstMs: number;
  /** No pause grows beyond this, in milliseconds; the random part comes on top. */
  readonly longestMs: number;
  /** A number of at least 0 and less than 1. @default Math.random */
  readonly random?: () => number;
}

/**
 * Says how long to wait before the next try. It does not wait itself: combine it with a wait that can be ended, such as
 * `createCancellableSleep`.
 *
 * @example
 * ```ts
 * import { createBackoff, createCancellableSleep } from "@continuum-cache/core/kit";
 *
 * const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
 * const sleep = createCancellableSleep();
 *
 * async function connect(tryOnce: () => Promise<boolean>): Promise<void> {
 *   while (!sleep.isEnded && !(await tryOnce())) await sleep.wait(backoff.next(), undefined);
 *   backoff.reset();
 * }
 * ```
 */
export function createBackoff({ firstMs, longestMs, random = Math.random }: BackoffLimits): Backoff {
  let pauseMs = firstMs;
  return {
    next() {
      const nextMs = pauseMs * (0.5 + random());
      pauseMs = Math.min(2 * pauseMs, longestMs);
      return nextMs;
    },
    reset() {
      pauseMs = firstMs;
    },
  };
}
