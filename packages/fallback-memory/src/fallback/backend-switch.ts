import { type Clock, type Outage, type Recovery, TransportError } from "@continuum-cache/core";
import {
  type Breaker,
  type Claim,
  createClaim,
  hasLastingTimers,
  isOutage,
  longestTimerMs,
  settlesWithin,
} from "@continuum-cache/core/kit";
import type { BackendEvents } from "./backend-events.ts";

/** Which backend answers: primary → local → recovering → primary. */
export interface BackendSwitch {
  /**
   * Looks after the probe that is due. Where nothing outlives a call, the one that finds it due has to wait for it, so long
   * at the most: then there is a promise.
   */
  attend(longestMs: number): Promise<void> | undefined;
  /** The outage that is going on. */
  readonly outage: (Pick<Outage, "sinceMs" | "reason" | "state"> & { readonly recovery: Recovery }) | undefined;
  /** Adds to what has become of the mutations of this outage. */
  done(part: Recovery): void;
  /** The primary has failed: from now on it is local. */
  leave(error: TransportError, reason?: string): void;
  /** Tries to get back at once, whether or not it is time. Resolves when that is decided. */
  returnNow(): Promise<void>;
  /** No more probes. */
  close(): void;
}

export interface BackendSwitchOptions {
  readonly clock: Clock;
  readonly breaker: Breaker;
  readonly events: BackendEvents;
  /** Resolves when the primary answers. */
  readonly ping: () => Promise<unknown>;
  /** Called when it has just become local. */
  readonly onLeave: () => void;
  /**
   * Brings the primary up to date; rejects when it is away again. What has been done so far is told through `attempt`.
   */
  readonly recover: (attempt: Attempt) => Promise<void>;
  /** Whether nothing is left that the primary does not know. */
  readonly isUpToDate: () => boolean;
  /** Whether the primary answers soon enough for calls; else it is only told what happened. */
  readonly isQuick: () => boolean;
  /** Called when answers are about to come from the primary again. */
  readonly onReturn: () => void;
  /** Called when an attempt to get back is over, and it is decided where answers come from. */
  readonly onAttempted: () => void;
  /** Keeps work alive that outlives the call that began it. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/** One attempt to get back. */
export interface Attempt {
  /** Whether it still is the one that counts. What it does once it does not would be done twice. */
  isCurrent(): boolean;
  /** Adds to what has become of the mutations. */
  done(part: Recovery): void;
}

/** A time of being local. */
interface Away {
  readonly sinceMs: number;
  readonly reason: string;
  state: Outage["state"];
  recovery: Recovery;
  attempt: { claim: Claim } | undefined;
}

/**
 * An attempt that has come no further for this long is lost. On the edge it is as soon as the request that made it has
 * ended.
 */
const lostAfterMs = 30_000;

const newClaim = (): Claim => createClaim({ timeoutMs: lostAfterMs });

export function createBackendSwitch(options: BackendSwitchOptions): BackendSwitch {
  const { clock, breaker, events, ping, onLeave, recover, isUpToDate, isQuick, onReturn, onAttempted, waitUntil } =
    options;
  let isClosed = false;
  let cancelTimer = (): void => {};

  const wakeUp = (): void => {
    cancelTimer();
    // A timer may be a moment ahead of the clock.
    cancelTimer = idleTimer(
      () => {
        probeIfDue();
        if (backend.outage && !backend.outage.attempt && !isClosed) wakeUp();
      },
      Math.max(1, breaker.waitMs),
    );
  };

  const comeBack = (): void => {
    const recovery = backend.outage?.recovery ?? nothing;
    backend.outage = undefined;
    cancelTimer();
    breaker.succeeded("probe");
    onReturn();
    events.change.tell({ from: "local", to: "upstash", reason: describe(recovery), recovery });
  };

  const attemptReturn = async (now: Away): Promise<void> => {
    const own = { claim: newClaim() };
    now.attempt = own;
    const isCurrent = (): boolean => backend.outage === now && now.attempt === own;
    try {
      await ping();
      while (isCurrent() && !isUpToDate()) {
        now.state = "recovering";
        await recover({
          isCurrent,
          done(part) {
            own.claim.release();
            own.claim = newClaim();
            now.recovery = total(now.recovery, part);
          },
        });
      }
      if (!isCurrent()) return;
      if (!isQuick()) throw slowError("answers later than calls may wait for it");
      comeBack();
      onAttempted();
    } catch (error) {
      if (!isCurrent()) return;
      now.attempt = undefined;
      now.state = "local";
      onAttempted();
      if (isOutage(error)) breaker.failed(error, "probe");
      else breaker.release("probe");
      if (!isClosed) wakeUp();
    } finally {
      own.claim.release();
    }
  };

  const probeIfDue = (): Promise<void> | undefined => {
    if (!backend.outage || isClosed) return undefined;
    if (backend.outage.attempt?.claim.isHeld) return undefined;
    if (backend.outage.attempt) {
      // The call that made it has vanished, and will not tell what has become of it.
      backend.outage.attempt = undefined;
      backend.outage.state = "local";
      breaker.release("probe");
    }
    if (breaker.acquire() === undefined) return undefined;
    const attempt = attemptReturn(backend.outage);
    waitUntil?.(attempt);
    return attempt;
  };

  /** The caller goes on after this, and with it ends what it has begun: what is not done by then is tried again later. */
  const waitFor = async (attempt: Promise<void>, longestMs: number): Promise<void> => {
    const now = backend.outage;
    const own = now?.attempt;
    await settlesWithin(longestMs, attempt);
    if (!now || backend.outage !== now || now.attempt !== own) return;
    now.attempt = undefined;
    now.state = "local";
    onAttempted();
    breaker.failed(slowError(`was not back within ${Math.round(longestMs)} ms`), "probe");
  };

  const backend = {
    outage: undefined as Away | undefined,
    attend(longestMs: number): Promise<void> | undefined {
      const attempt = probeIfDue();
      return attempt && !waitUntil && !hasLastingTimers() ? waitFor(attempt, longestMs) : undefined;
    },
    done(part: Recovery): void {
      if (backend.outage) backend.outage.recovery = total(backend.outage.recovery, part);
    },
    leave(error: TransportError, reason: string = `${error.kind}: ${error.message}`): void {
      if (backend.outage || isClosed) return;
      breaker.failed(error);
      backend.outage = { sinceMs: clock.now(), reason, state: "local", recovery: nothing, attempt: undefined };
      wakeUp();
      onLeave();
      events.change.tell({ from: "upstash", to: "local", reason });
      // Only a person can fix these, so they are said twice.
      if (error.kind === "unauthorized" || error.kind === "quota") events.failure.tell({ operation: "primary", error });
    },
    async returnNow(): Promise<void> {
      if (backend.outage) await attemptReturn(backend.outage);
    },
    close(): void {
      isClosed = true;
      cancelTimer();
    },
  };
  return backend;
}

const nothing: Recovery = { replayed: 0, superseded: 0, dropped: 0 };

const total = (a: Recovery, b: Recovery): Recovery => ({
  replayed: a.replayed + b.replayed,
  superseded: a.superseded + b.superseded,
  dropped: a.dropped + b.dropped,
});

function describe({ replayed, superseded, dropped }: Recovery): string {
  const parts = [
    ...(replayed > 0 ? [`${replayed} mutation(s) replayed`] : []),
    ...(superseded > 0 ? [`${superseded} set(s) gave way to newer writes of others`] : []),
    ...(dropped > 0 ? [`${dropped} mutation(s) dropped`] : []),
  ];
  return ["the primary answers again", ...parts].join("; ");
}

const slowError = (what: string): TransportError =>
  new TransportError("timeout", `The primary ${what}`, {
    transport: "fallback",
    delivery: "none",
  });

/**
 * A timer for an idle process, where there are timers that keep none alive: elsewhere the next call does what is due.
 * On the edge timers end with the request that set them. Returns what cancels it.
 */
function idleTimer(callback: () => void, ms: number): () => void {
  if (!hasLastingTimers()) return () => {};
  const timer: unknown = setTimeout(callback, Math.min(ms, longestTimerMs));
  const cancel = (): void => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
  else cancel();
  return cancel;
}
