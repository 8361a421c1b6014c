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

// Which backend answers calls. Three phases, in a circle:
//
//   primary    --goLocal: the primary left a trip without an answer-->  local
//   local      --probe: a PING got through, and the journal is not empty-->  recovering
//   recovering --the primary is away again, or the attempt is lost-->  local
//   local, recovering --goPrimary: a PING got through, and the journal is empty-->  primary
//
// An attempt to return runs while the phase is `local` (until its PING is answered) or `recovering`.

/** Decides which backend answers: primary → local → recovering → primary. */
export interface FailoverController {
  /**
   * Starts a probe if one is due. Returns a promise where timers end with the request and there is no `waitUntil`:
   * then the call that found the probe due has to wait for it, at most `longestMs`.
   */
  probeIfDue(longestMs: number): Promise<void> | undefined;
  /** Whether the memory answers now. */
  readonly isLocal: boolean;
  /** The current outage, for the status; `undefined` while the primary answers. */
  readonly outage: (Pick<Outage, "sinceMs" | "reason" | "state"> & { readonly recovery: Recovery }) | undefined;
  /** Adds to the counts of what became of the mutations of this outage. */
  addToRecovery(part: Recovery): void;
  /** The primary has failed: from now on the memory answers. */
  goLocal(error: TransportError, reason?: string): void;
  /** Tries to return now, whether or not a probe is due. Resolves when the attempt has ended. */
  probeNow(): Promise<void>;
  /** Stops the probes. */
  close(): void;
}

export interface FailoverOptions {
  readonly clock: Clock;
  readonly breaker: Breaker;
  readonly events: BackendEvents;
  /** Resolves when the primary answers. */
  readonly ping: () => Promise<unknown>;
  /** Called after the phase became `local`. */
  readonly onLocal: () => void;
  /**
   * Replays the journal to the primary; rejects when the primary is away again. Reports its progress through
   * `attempt`.
   */
  readonly recover: (attempt: RecoveryAttempt) => Promise<void>;
  /** Whether the primary knows all changes. */
  readonly isUpToDate: () => boolean;
  /**
   * Whether the primary answers soon enough for calls. If it does not, the journal is replayed and calls stay local.
   */
  readonly isQuick: () => boolean;
  /** Called after the phase became `primary`. */
  readonly onPrimary: () => void;
  /** Called when an attempt to return has ended, and the next phase is decided. */
  readonly onAttempted: () => void;
  /** Keeps work alive that outlives the call that began it. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined;
}

/** One attempt to return to the primary. */
export interface RecoveryAttempt {
  /** Whether this is still the latest attempt. An older one must change nothing: its changes would be made twice. */
  isCurrent(): boolean;
  /** Adds to the counts of what became of the mutations. */
  addToRecovery(part: Recovery): void;
}

type Phase = { readonly kind: "primary" } | OutagePhase;

/** The phases in which the memory answers. `attempt`: the one that is running. */
type OutagePhase =
  | { readonly kind: "local"; readonly outage: OutageRecord; readonly attempt: Attempt | undefined }
  | { readonly kind: "recovering"; readonly outage: OutageRecord; readonly attempt: Attempt };

/** Facts that stay the same object from the beginning of an outage to its end. */
interface OutageRecord {
  readonly sinceMs: number;
  readonly reason: string;
  recovery: Recovery;
}

/**
 * A running attempt. Its claim is renewed with each step, and given up when the call that runs the attempt vanishes.
 */
interface Attempt {
  claim: Claim;
}

const onPrimaryPhase: Phase = { kind: "primary" };

/**
 * Without progress for this long an attempt is lost. On the edge it is lost when the request that made it has ended.
 */
const lostAfterMs = 30_000;

const newClaim = (): Claim => createClaim({ timeoutMs: lostAfterMs });

export function createFailoverController(options: FailoverOptions): FailoverController {
  return new PhasedController(options);
}

class PhasedController implements FailoverController {
  /** A field and no getter: every trip reads it. */
  isLocal = false;
  readonly #options: FailoverOptions;
  #phase: Phase = onPrimaryPhase;
  #isClosed = false;
  #cancelTimer = (): void => {};

  constructor(options: FailoverOptions) {
    this.#options = options;
  }

  get outage(): FailoverController["outage"] {
    const phase = this.#phase;
    return phase.kind === "primary" ? undefined : { ...phase.outage, state: phase.kind };
  }

  goLocal(error: TransportError, reason: string = `${error.kind}: ${error.message}`): void {
    if (this.#phase.kind !== "primary" || this.#isClosed) return;
    const { breaker, clock, events, onLocal } = this.#options;
    breaker.failed(error);
    const outage = { sinceMs: clock.now(), reason, recovery: noRecovery };
    this.#enter({ kind: "local", outage, attempt: undefined });
    this.#scheduleProbe();
    onLocal();
    events.change.notify({ from: "upstash", to: "local", reason });
    // Only a person can fix these errors, so they are reported as failures too.
    if (error.kind === "unauthorized" || error.kind === "quota") events.failure.notify({ operation: "primary", error });
  }

  probeIfDue(longestMs: number): Promise<void> | undefined {
    const attempt = this.#startDueAttempt();
    return attempt && !this.#options.waitUntil && !hasLastingTimers() ? this.#waitFor(attempt, longestMs) : undefined;
  }

  async probeNow(): Promise<void> {
    if (this.#phase.kind !== "primary") await this.#tryToReturn(this.#phase.outage);
  }

  addToRecovery(part: Recovery): void {
    if (this.#phase.kind !== "primary") addTo(this.#phase.outage, part);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.isLocal = phase.kind !== "primary";
  }

  #startDueAttempt(): Promise<void> | undefined {
    const phase = this.#phase;
    if (phase.kind === "primary" || this.#isClosed || phase.attempt?.claim.isHeld) return undefined;
    const { breaker, waitUntil } = this.#options;
    if (phase.attempt) {
      // The call that made the attempt has vanished, and will not report how it ended.
      this.#endAttempt(phase.outage);
      breaker.release("probe");
    }
    if (breaker.acquire() === undefined) return undefined;
    const attempt = this.#tryToReturn(phase.outage);
    waitUntil?.(attempt);
    return attempt;
  }

  async #tryToReturn(outage: OutageRecord): Promise<void> {
    const { ping, recover, isUpToDate, isQuick, onAttempted, breaker } = this.#options;
    const attempt: Attempt = { claim: newClaim() };
    this.#enter({ kind: this.#phase.kind === "recovering" ? "recovering" : "local", outage, attempt });
    const isCurrent = (): boolean => this.#phase.kind !== "primary" && this.#phase.attempt === attempt;
    try {
      await ping();
      while (isCurrent() && !isUpToDate()) {
        this.#enter({ kind: "recovering", outage, attempt });
        await recover({
          isCurrent,
          addToRecovery(part) {
            attempt.claim.release();
            attempt.claim = newClaim();
            addTo(outage, part);
          },
        });
      }
      if (!isCurrent()) return;
      if (!isQuick()) throw slowError("answers later than calls may wait for it");
      this.#goPrimary(outage);
      onAttempted();
    } catch (error) {
      if (!isCurrent()) return;
      this.#endAttempt(outage);
      onAttempted();
      if (isOutage(error)) breaker.failed(error, "probe");
      else breaker.release("probe");
      if (!this.#isClosed) this.#scheduleProbe();
    } finally {
      attempt.claim.release();
    }
  }

  #goPrimary({ recovery }: OutageRecord): void {
    const { breaker, events, onPrimary } = this.#options;
    this.#enter(onPrimaryPhase);
    this.#cancelTimer();
    breaker.succeeded("probe");
    onPrimary();
    events.change.notify({ from: "local", to: "upstash", reason: describe(recovery), recovery });
  }

  #endAttempt(outage: OutageRecord): void {
    this.#enter({ kind: "local", outage, attempt: undefined });
  }

  /**
   * Waits for an attempt at most so long. The caller's request ends then, and with it the attempt: it counts as
   * failed.
   */
  async #waitFor(attempt: Promise<void>, longestMs: number): Promise<void> {
    const before = runningIn(this.#phase);
    await settlesWithin(longestMs, attempt);
    if (before === undefined || this.#phase.kind === "primary" || this.#phase.attempt !== before) return;
    const { breaker, onAttempted } = this.#options;
    this.#endAttempt(this.#phase.outage);
    onAttempted();
    breaker.failed(slowError(`was not back within ${Math.round(longestMs)} ms`), "probe");
  }

  #scheduleProbe(): void {
    this.#cancelTimer();
    const probe = (): void => {
      this.#startDueAttempt();
      if (this.#phase.kind !== "primary" && !this.#phase.attempt && !this.#isClosed) this.#scheduleProbe();
    };
    // A timer may fire a moment before the clock says so.
    this.#cancelTimer = idleTimer(probe, Math.max(1, this.#options.breaker.waitMs));
  }
}

const runningIn = (phase: Phase): Attempt | undefined => (phase.kind === "primary" ? undefined : phase.attempt);

const noRecovery: Recovery = { replayed: 0, superseded: 0, dropped: 0 };

function addTo(outage: OutageRecord, part: Recovery): void {
  const { replayed, superseded, dropped } = outage.recovery;
  outage.recovery = {
    replayed: replayed + part.replayed,
    superseded: superseded + part.superseded,
    dropped: dropped + part.dropped,
  };
}

function describe({ replayed, superseded, dropped }: Recovery): string {
  const parts = [
    ...(replayed > 0 ? [`${replayed} mutation(s) replayed`] : []),
    ...(superseded > 0 ? [`${superseded} set(s) gave way to newer writes of others`] : []),
    ...(dropped > 0 ? [`${dropped} mutation(s) dropped`] : []),
  ];
  return ["the primary answers again", ...parts].join("; ");
}

const slowError = (what: string): TransportError =>
  new TransportError("timeout", `The primary ${what}`, { transport: "fallback", delivery: "none" });

/**
 * A timer for an idle process, where timers keep no process alive; without such timers the next call does what is due.
 * On the edge timers end with the request that set them. Returns the function that cancels it.
 */
function idleTimer(callback: () => void, ms: number): () => void {
  if (!hasLastingTimers()) return () => {};
  const timer: unknown = setTimeout(callback, Math.min(ms, longestTimerMs));
  const cancel = (): void => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
  else cancel();
  return cancel;
}
