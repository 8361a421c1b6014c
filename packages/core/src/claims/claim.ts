import { longestTimerMs } from "../time/duration.ts";
import { onAbort } from "../time/on-abort.ts";
import { hasLastingTimers } from "../time/platform.ts";

/** How long a claim lasts. */
export interface ClaimOptions {
  /** It expires after this, in milliseconds: the deadline of its owner. @default Infinity */
  readonly timeoutMs?: number;
  /**
   * Where an owner can vanish (see `hasLastingTimers`), it renews its claim this often, in milliseconds. A claim that
   * was not renewed for three times as long has lapsed. Infinity: only its deadline ends it. @default 25
   */
  readonly renewMs?: number;
}

/** How long to wait for a claim to be over. */
export interface WaitOptions {
  /** In milliseconds. @default Infinity */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/** One owner's hold on work that others wait for. */
export interface Claim {
  /** Whether the owner is at work: it has not ended, and the claim has neither expired nor lapsed. */
  readonly isHeld: boolean;
  /** Called by the owner when its work has ended, with success or not. Safe to call twice, and late. */
  release(): void;
  /**
   * Waits until the claim is over, with a timer of the caller. Resolves to true when the next owner may take over,
   * and to false when the wait was over first.
   */
  released(wait?: WaitOptions): Promise<boolean>;
}

/** A claim lapses after this many missed renewals in a row. */
const missedRenewals = 3;
/** Where the end of a claim wakes no waiter, each waiter checks it at least this often. */
const longestPauseMs = 25;

/**
 * Claims work that other calls of this process wait for.
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
 * import { type Claim, createClaim } from "@continuum-cache/core/kit";
 *
 * let claim: Claim | undefined;
 *
 * async function alone(work: () => Promise<void>): Promise<void> {
 *   while (claim?.isHeld) {
 *     if (!(await claim.released({ timeoutMs: 1_000 }))) throw new Error("Waited in vain");
 *   }
 *   const own = createClaim({ timeoutMs: 5_000 });
 *   claim = own;
 *   try {
 *     await work();
 *   } finally {
 *     own.release();
 *   }
 * }
 * ```
 */
export function createClaim(options: ClaimOptions = {}): Claim {
  return new OwnClaim(options);
}

/**
 * A class: V8 gives each object literal that has a getter a shape of its own, which costs more than all else in a
 * claim.
 */
class OwnClaim implements Claim {
  readonly #mayVanish: boolean;
  readonly #renewMs: number;
  readonly #endsMs: number;
  readonly #lapseMs: number;
  readonly #waiters = new Set<() => void>();
  #isEnded = false;
  #renewedMs: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor({ timeoutMs = Number.POSITIVE_INFINITY, renewMs = 25 }: ClaimOptions) {
    this.#mayVanish = !hasLastingTimers();
    const renews = this.#mayVanish && renewMs < Number.POSITIVE_INFINITY;
    this.#renewMs = renewMs;
    this.#endsMs = this.#renewedMs + timeoutMs;
    this.#lapseMs = renews ? missedRenewals * renewMs : Number.POSITIVE_INFINITY;
    if (renews) this.#timer = setTimeout(() => this.#renew(), renewMs);
  }

  get isHeld(): boolean {
    const nowMs = performance.now();
    return !this.#isEnded && nowMs < this.#endsMs && nowMs - this.#renewedMs < this.#lapseMs;
  }

  release(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const wake of [...this.#waiters]) wake();
  }

  released({ timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {}): Promise<boolean> {
    if (this.#isEnded) return Promise.resolve(true);
    if (signal?.aborted || timeoutMs <= 0) return Promise.resolve(performance.now() >= this.#endsMs);
    return this.#wait(performance.now() + timeoutMs, signal);
  }

  #renew(): void {
    this.#renewedMs = performance.now();
    if (!this.#isEnded && this.#renewedMs < this.#endsMs) {
      this.#timer = setTimeout(() => this.#renew(), this.#renewMs);
    }
  }

  #wait(lateMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      let isDone = false;
      let looks = 0;
      let isDoubted = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const finish = (isOver: boolean): void => {
        if (isDone) return;
        isDone = true;
        clearTimeout(timer);
        this.#waiters.delete(wake);
        stopHearing();
        resolve(isOver);
      };
      const wake = (): void => finish(true);
      const look = (): void => {
        const nowMs = performance.now();
        const hasLapsed = nowMs - this.#renewedMs >= this.#lapseMs;
        // A process that was busy is late with everything: the owner has one more turn to renew its claim. Then it is
        // lost for good.
        if (nowMs >= this.#endsMs || (hasLapsed && isDoubted)) this.#isEnded = true;
        if (this.#isEnded || nowMs >= lateMs) {
          finish(this.#isEnded);
          return;
        }
        isDoubted = hasLapsed;
        const pauseMs = this.#mayVanish ? Math.min(longestPauseMs, 2 ** looks++) : Number.POSITIVE_INFINITY;
        const lookInMs = Math.min(hasLapsed ? this.#renewMs : pauseMs, this.#endsMs - nowMs, lateMs - nowMs);
        if (lookInMs < Number.POSITIVE_INFINITY)
          timer = setTimeout(look, Math.min(Math.ceil(lookInMs), longestTimerMs));
      };
      const stopHearing = onAbort(signal, () => finish(false));
      // Where owners vanish, so do waiters, and no call may be woken from another request.
      if (!this.#mayVanish) this.#waiters.add(wake);
      look();
    });
  }
}
