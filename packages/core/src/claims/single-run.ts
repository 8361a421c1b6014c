import { type Claim, type ClaimWait, createClaim } from "./claim.ts";

/** Work in the background that runs once at a time. */
export interface SingleRun {
  readonly isRunning: boolean;
  /** Sees to it that the work runs once more after this: begins it, or has the present run followed by another. */
  start(): void;
  /** Resolves when it does not run any more. */
  idle(wait?: ClaimWait): Promise<boolean>;
}

/**
 * Makes work that any call may start and that never runs twice at once. Where the call that has started it can vanish, the next `start` takes
 * over.
 *
 * @param work - Does all there is to do, and looks at `isCurrent` after each `await`: false means that another run has taken over. It must
 *   not reject.
 *
 * @example
 * ```ts
 * import { createSingleRun } from "@continuum-cache/core";
 *
 * const waiting = ["a", "b"];
 * const sending = createSingleRun(async (isCurrent) => {
 *   while (waiting.length > 0 && isCurrent()) console.log("sent", waiting.shift());
 * });
 * sending.start();
 * await sending.idle();
 * ```
 */
export function createSingleRun(work: (isCurrent: () => boolean) => Promise<void>): SingleRun {
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
      own.claim.end();
    }
  };

  return {
    get isRunning() {
      return current?.claim.isHeld ?? false;
    },
    start() {
      if (current?.claim.isHeld) current.isToRepeat = true;
      else void begin();
    },
    async idle(wait = {}) {
      return current ? current.claim.over(wait) : true;
    },
  };
}
