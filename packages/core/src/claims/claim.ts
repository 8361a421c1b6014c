import { longestTimerMs } from "../time/duration.ts";
import { hasLastingTimers } from "../time/lasting-timers.ts";
import { onAbort } from "../time/on-abort.ts";

/** How long a claim lasts. */
export interface ClaimOptions {
  /** It expires after this, in milliseconds: the deadline of its owner. @default Infinity */
  readonly timeoutMs?: number;
  /**
   * Where an owner can vanish (see `hasLastingTimers`), it shows this often that it is there, in milliseconds. A claim
   * that was not renewed for three times as long has lapsed. Infinity: only its deadline ends it. @default 25
   */
  readonly renewMs?: number;
}

/** How long to wait for a claim to be over. */
export interface ClaimWait {
  /** In milliseconds. @default Infinity */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** One owner's hold on work that others wait for. */
export interface Claim {
  /** Whether the owner is at work: it has not ended, and the claim has neither expired nor lapsed. */
  readonly isHeld: boolean;
  /** To be called by the owner when its work is done, well or not. Safe to call twice, and late. */
  end(): void;
  /**
   * Waits until the claim is over, with a timer of the caller's own. Resolves to true when the next one may take over,
   * and to false when the wait was over first.
   */
  over(wait?: ClaimWait): Promise<boolean>;
}

/** So many renewals in a row must be missing. */
const missedRenewals = 3;
/** Where no end of a claim wakes those who wait, they look at least this often. */
const longestPauseMs = 25;

/**
 * Claims work that others of this process will wait for.
 *
 * On the edge the owner of shared work can vanish at any `await`: its request ends, and with it go its timers, its
 * continuations and its `finally` blocks. So no claim is for ever: it expires with its owner's deadline, and it lapses
 * soon after the owner has stopped to renew it, which a timer of the owner's request does. Waiters there look at the
 * claim by their own timers and are never woken by another request, whose continuations a runtime may drop.
 *
 * In Node, Deno and Bun no call vanishes: a claim has no timer there, and its end wakes those that wait.
 *
 * @example
 * ```ts
 * import { type Claim, createClaim } from "@continuum-cache/core";
 *
 * let claim: Claim | undefined;
 *
 * async function alone(work: () => Promise<void>): Promise<void> {
 *   while (claim?.isHeld) {
 *     if (!(await claim.over({ timeoutMs: 1_000 }))) throw new Error("Waited in vain");
 *   }
 *   const own = createClaim({ timeoutMs: 5_000 });
 *   claim = own;
 *   try {
 *     await work();
 *   } finally {
 *     own.end();
 *   }
 * }
 * ```
 */
export function createClaim({ timeoutMs = Number.POSITIVE_INFINITY, renewMs = 25 }: ClaimOptions = {}): Claim {
  const beganMs = performance.now();
  const endsMs = beganMs + timeoutMs;
  const mayVanish = !hasLastingTimers();
  const renews = mayVanish && renewMs < Number.POSITIVE_INFINITY;
  const lapseMs = renews ? missedRenewals * renewMs : Number.POSITIVE_INFINITY;
  const waiters = new Set<() => void>();
  let isEnded = false;
  let renewedMs = beganMs;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const renew = (): void => {
    renewedMs = performance.now();
    if (!isEnded && renewedMs < endsMs) timer = setTimeout(renew, renewMs);
  };
  if (renews) timer = setTimeout(renew, renewMs);

  const wait = (lateMs: number, signal: AbortSignal | undefined): Promise<boolean> =>
    new Promise((resolve) => {
      let isDone = false;
      let looks = 0;
      let isDoubted = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const finish = (isOver: boolean): void => {
        if (isDone) return;
        isDone = true;
        clearTimeout(timer);
        waiters.delete(wake);
        stopHearing();
        resolve(isOver);
      };
      const wake = (): void => finish(true);
      const look = (): void => {
        const nowMs = performance.now();
        const hasLapsed = nowMs - renewedMs >= lapseMs;
        // A process that was busy is late with everything: the owner has one more turn to renew its claim. Then it is
        // lost for good.
        if (nowMs >= endsMs || (hasLapsed && isDoubted)) isEnded = true;
        if (isEnded || nowMs >= lateMs) {
          finish(isEnded);
          return;
        }
        isDoubted = hasLapsed;
        const pauseMs = mayVanish ? Math.min(longestPauseMs, 2 ** looks++) : Number.POSITIVE_INFINITY;
        const lookInMs = Math.min(hasLapsed ? renewMs : pauseMs, endsMs - nowMs, lateMs - nowMs);
        if (lookInMs < Number.POSITIVE_INFINITY)
          timer = setTimeout(look, Math.min(Math.ceil(lookInMs), longestTimerMs));
      };
      const stopHearing = onAbort(signal, () => finish(false));
      // Where owners vanish, so do waiters, and no call may be woken from another request.
      if (!mayVanish) waiters.add(wake);
      look();
    });

  return {
    get isHeld() {
      const nowMs = performance.now();
      return !isEnded && nowMs < endsMs && nowMs - renewedMs < lapseMs;
    },
    end() {
      if (isEnded) return;
      isEnded = true;
      clearTimeout(timer);
      for (const wake of [...waiters]) wake();
    },
    over({ timeoutMs: longestMs = Number.POSITIVE_INFINITY, signal } = {}) {
      if (isEnded) return Promise.resolve(true);
      if (signal?.aborted || longestMs <= 0) return Promise.resolve(performance.now() >= endsMs);
      return wait(performance.now() + longestMs, signal);
    },
  };
}
