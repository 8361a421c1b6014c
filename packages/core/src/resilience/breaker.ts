import { believableWaitMs, type TransportError } from "../errors/transport-error.ts";
import { callListener } from "../ports/call-listener.ts";
import { type BreakerOptions, readBreakerOptions } from "./breaker-options.ts";
import { createFailureSample } from "./failure-sample.ts";
import { isOutage, isRefusal } from "./outage.ts";

/** The kind of permit: for a normal call, or for the half-open probe. */
export type BreakerPermit = "call" | "probe";

/**
 * A circuit breaker: stops calls to a server that fails, and lets one call at a time probe whether it answers again.
 */
export interface Breaker {
  /** `half-open` from the first probe until a probe has an outcome. */
  readonly state: "closed" | "open" | "half-open";
  /** The failure that opened it; absent while closed. */
  readonly cause: TransportError | undefined;
  /** How long until a probe is allowed, in milliseconds; 0 when closed or when a probe is due. */
  readonly waitMs: number;
  /**
   * Returns a permit: "call" while closed; "probe" for one caller at a time once the wait is over. Returns undefined
   * when the call must not be made.
   *
   * @param probeMs - The call's own deadline: a probe that has reported no outcome by then is replaced by the next one.
   *   Default: 30 seconds, or `maxWait` if longer.
   */
  acquire(probeMs?: number): BreakerPermit | undefined;
  /**
   * An answer came, of any kind. Each permit is followed by exactly one of `succeeded`, `failed` and `release`, called
   * with that permit. Without it, a report during a probe counts as the probe's.
   */
  succeeded(permit?: BreakerPermit): void;
  /**
   * No answer came. Counts if `isOutage(error)`, and only gives the permit back otherwise. May also be called without
   * `acquire()`.
   */
  failed(error: TransportError, permit?: BreakerPermit): void;
  /**
   * The call says nothing about the server: its caller aborted, or the request was too large. Allows the next probe.
   */
  release(permit?: BreakerPermit): void;
  /** Calls the listener after each change of `state`; returns the function that stops it. */
  onChange(listener: (state: Breaker["state"]) => void): () => void;
}

type Phase =
  | { readonly state: "closed"; readonly sinceMs: number }
  | { readonly state: "open"; readonly sinceMs: number; readonly waitMs: number; readonly cause: TransportError }
  | { readonly state: "half-open"; readonly probe: Probe | undefined; readonly cause: TransportError };

/** A call that tests whether the server answers again. */
interface Probe {
  readonly sinceMs: number;
  readonly heldMs: number;
}

/**
 * How long a probe without an outcome blocks the next one. Its caller may have vanished: on the edge a request that
 * ends takes its continuations with it.
 */
const probeHeldMs = 30_000;

/**
 * Makes a circuit breaker. It does not make calls itself: the caller acquires a permit for each call, and reports how
 * the call ended.
 *
 * - It opens after `failures` failures in a row, or when the share of failures in `sample` is reached; at once when the
 *   server itself refuses (`quota`, `unauthorized`).
 * - It then stays open for `wait`, spread at random by a quarter to both sides, and never for less than the server
 *   asked for (`retryAfterMs`, at most an hour), which alone may exceed `maxWait`.
 * - Then one caller at a time is let in as a probe. An answer closes it; a failure opens it again for twice as long. A
 *   probe of which nothing is heard by its own deadline (else for 30 seconds, or `maxWait` if longer) loses its place
 *   to another.
 * - It waits as shortly as at first only after it has stayed closed for as long as the last wait: flapping backs off.
 * - Calls which were let in earlier and end while it is open change nothing, except that a server may ask for a longer
 *   wait. Ending after it has closed again they count like any other.
 *
 * It sets no timers: it reads the clock when a permit is acquired. Its memory does not grow with the number of calls.
 *
 * @throws ConfigError when an option is unknown or out of its range.
 *
 * @example
 * ```ts
 * import { createBreaker, isOutage } from "@continuum-cache/core/kit";
 *
 * const breaker = createBreaker({ failures: 3, wait: "1s" });
 *
 * async function throughBreaker<T>(call: () => Promise<T>): Promise<T | undefined> {
 *   const permit = breaker.acquire();
 *   if (!permit) return undefined;
 *   try {
 *     const answer = await call();
 *     breaker.succeeded(permit);
 *     return answer;
 *   } catch (error) {
 *     if (isOutage(error)) breaker.failed(error, permit);
 *     else breaker.release(permit);
 *     throw error;
 *   }
 * }
 * ```
 */
export function createBreaker(options?: BreakerOptions): Breaker {
  const { failures, sample: share, waitMs: firstMs, maxWaitMs, clock, random } = readBreakerOptions(options);
  const heldMs = Math.max(probeHeldMs, maxWaitMs);
  const sample = share && createFailureSample(share.windowMs);
  const listeners = new Set<(state: Breaker["state"]) => void>();
  let phase: Phase = { state: "closed", sinceMs: Number.NEGATIVE_INFINITY };
  let inARow = 0;
  // The last wait that was not asked for by the server, before and after the random spread. Only this one is doubled.
  let stepMs = 0;
  let spreadMs = 0;

  const moveTo = (next: Phase): void => {
    const changed = next.state !== phase.state;
    phase = next;
    if (changed) for (const listener of [...listeners]) callListener(() => listener(next.state));
  };

  const open = (cause: TransportError, nowMs: number): void => {
    const afresh = phase.state === "closed" && nowMs - phase.sinceMs >= spreadMs;
    // Leaves room for the spread below `maxWait`: else all processes that reach it would probe at the same time.
    stepMs = afresh ? firstMs : Math.min(stepMs * 2, maxWaitMs);
    spreadMs = Math.max(1, Math.round(Math.min(stepMs, maxWaitMs / 1.25) * (0.75 + random() / 2)));
    moveTo({ state: "open", sinceMs: nowMs, waitMs: Math.max(spreadMs, askedMs(cause)), cause });
  };

  const close = (nowMs: number): void => {
    inARow = 0;
    sample?.clear();
    moveTo({ state: "closed", sinceMs: nowMs });
  };

  const leftMs = (nowMs: number): number => {
    if (phase.state !== "open") return 0;
    // A clock that was set back must not make the wait longer than it is.
    if (nowMs < phase.sinceMs) phase = { ...phase, sinceMs: nowMs };
    return Math.max(0, Math.ceil(phase.sinceMs + phase.waitMs - nowMs));
  };

  /** Whether a report is the probe's; one without a permit is, while there is a probe. */
  const isProbe = (permit: BreakerPermit | undefined): boolean =>
    permit === undefined ? phase.state === "half-open" : permit === "probe";

  const release = (permit?: BreakerPermit): void => {
    if (phase.state === "half-open" && isProbe(permit)) phase = { ...phase, probe: undefined };
  };

  return {
    get state() {
      return phase.state;
    },
    get cause() {
      return phase.state === "closed" ? undefined : phase.cause;
    },
    get waitMs() {
      return phase.state === "open" ? leftMs(clock.now()) : 0;
    },
    acquire(probeMs = heldMs) {
      if (phase.state === "closed") return "call";
      const nowMs = clock.now();
      if (phase.state === "open" && leftMs(nowMs) > 0) return undefined;
      if (phase.state === "half-open" && phase.probe) {
        const outMs = nowMs - phase.probe.sinceMs;
        if (outMs >= 0 && outMs < phase.probe.heldMs) return undefined;
      }
      moveTo({ state: "half-open", probe: { sinceMs: nowMs, heldMs: probeMs }, cause: phase.cause });
      return "probe";
    },
    succeeded(permit) {
      if (phase.state === "closed") {
        inARow = 0;
        sample?.add(clock.now(), false);
      } else if (phase.state === "half-open" && isProbe(permit)) close(clock.now());
    },
    failed(error, permit) {
      if (!isOutage(error)) {
        release(permit);
        return;
      }
      const nowMs = clock.now();
      if (phase.state === "closed") {
        inARow++;
        sample?.add(nowMs, true);
        const tooMany =
          share && sample && sample.calls >= share.atLeast && sample.failures >= share.ratio * sample.calls;
        if (inARow >= failures || tooMany || isRefusal(error)) open(error, nowMs);
      } else if (phase.state === "half-open") {
        if (isProbe(permit)) open(error, nowMs);
      } else if (askedMs(error) > leftMs(nowMs)) {
        phase = { state: "open", sinceMs: nowMs, waitMs: askedMs(error), cause: error };
      }
    },
    release,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The wait that the server has asked for, in milliseconds; 0 when it asked for none, or for an unbelievable one. */
function askedMs({ retryAfterMs }: TransportError): number {
  return believableWaitMs(retryAfterMs) ?? 0;
}
