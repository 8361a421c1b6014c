import { isTransportError, TransportError } from "../errors/transport-error.ts";
import { type Duration, longestTimerMs, toTimeoutMs } from "../time/duration.ts";
import type { Lock } from "./lock-options.ts";

/**
 * Two clocks that can be wrong in different ways: a frozen machine stops the one, a correction of the time moves the
 * other.
 */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export const instant = (): Instant => ({ wallMs: Date.now(), monotonicMs: performance.now() });

/** The larger of both differences: a lease that may have ended has ended. */
export const elapsedSince = (start: Instant): number =>
  Math.max(Date.now() - start.wallMs, performance.now() - start.monotonicMs);

/** What a held lock is made of. */
export interface HeldLockParts {
  readonly key: string;
  readonly token: number;
  readonly leaseMs: number;
  /** When the command that took the lock was sent: the server's lease began no earlier. */
  readonly since: Instant;
  /** @returns whether the lock is still held. @throws TransportError when no answer came. */
  renew(leaseMs: number, timeoutMs: number): Promise<boolean>;
  /** @returns whether the lock was still held. @throws TransportError when no answer came. */
  end(): Promise<boolean>;
}

/** How many times a lease is renewed before it ends. */
const renewalsPerLease = 3;

type Phase = "held" | "lost" | "released";

export function createHeldLock({ key, token, leaseMs: firstLeaseMs, since: start, renew, end }: HeldLockParts): Lock {
  const losing = new AbortController();
  let phase: Phase = "held";
  let since = start;
  let leaseMs = firstLeaseMs;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const leftMs = (): number => leaseMs - elapsedSince(since);

  const lose = (why: string): void => {
    if (phase !== "held") return;
    phase = "lost";
    clearTimeout(timer);
    const text = `The lock ${JSON.stringify(key.slice(0, 40))} was lost: ${why}`;
    losing.abort(new TransportError("timeout", text, { transport: "lock", delivery: "none" }));
  };
  /** A process that was frozen finds out when it next looks. */
  const isHeld = (): boolean => {
    if (phase === "held" && leftMs() <= 0) lose("its lease was not renewed in time");
    return phase === "held";
  };

  const prolong = async (ms: number): Promise<boolean> => {
    const sent = instant();
    const isStillOurs = await renew(ms, Math.max(1, Math.floor(leftMs())));
    if (!isHeld()) return false;
    if (!isStillOurs) {
      lose("its lease was over, and another process may have it");
      return false;
    }
    since = sent;
    leaseMs = ms;
    return true;
  };

  /** Renews after a third of the lease; after a failure sooner, until the lease is over. */
  const schedule = (afterMs: number): void => {
    clearTimeout(timer);
    if (!isHeld()) return;
    const delayMs = Math.min(afterMs, leftMs(), longestTimerMs);
    timer = setTimeout(async () => {
      if (!isHeld()) return;
      try {
        await prolong(leaseMs);
        schedule(leaseMs / renewalsPerLease);
      } catch {
        schedule(leaseMs / (3 * renewalsPerLease));
      }
    }, Math.ceil(delayMs));
  };
  schedule(firstLeaseMs / renewalsPerLease);

  const release = async (): Promise<boolean> => {
    const wasHeld = isHeld();
    if (phase === "held") phase = "released";
    clearTimeout(timer);
    return wasHeld && end();
  };

  return {
    key,
    token,
    lost: losing.signal,
    get isHeld() {
      return isHeld();
    },
    async extend(lease?: Duration) {
      const ms = lease === undefined ? leaseMs : toTimeoutMs(lease, "lease");
      if (!isHeld() || !(await prolong(ms))) return false;
      schedule(leaseMs / renewalsPerLease);
      return true;
    },
    release,
    async [Symbol.asyncDispose]() {
      await release().catch(ignoreUnanswered);
    },
  };
}

/** The lock ends with its lease. */
export function ignoreUnanswered(error: unknown): void {
  if (!isTransportError(error)) throw error;
}
