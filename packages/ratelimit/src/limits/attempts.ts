import { isCommandError, TransportError } from "@continuum-cache/core";
import { type Breaker, isOutage } from "@continuum-cache/core/kit";
import type { LatencyEstimator } from "../timing/latency.ts";
import { timedOut, withTimeout } from "../timing/timeout.ts";

/** The outcome of a request. */
export type Outcome<Result> =
  | { readonly result: Result; readonly reason?: never }
  /**
   * `"away"`: Redis is away, or refuses requests. `"late"`: Redis gave this process no answer in time, but may be
   * answering others.
   */
  | { readonly result?: never; readonly reason: "away" | "late" };

/** Sends requests to Redis while it is available, and notices when it goes away and when it comes back. */
export interface Attempts {
  /**
   * Never rejects: every failure has been reported by the time it resolves. A late request is not canceled; its answer
   * is still used when it comes.
   *
   * @param work - Sends one request to Redis, with the given deadline.
   * @param onSuspicion - Called once, while the request waits, when other processes may have concluded that Redis is
   * away.
   */
  run<Result>(
    operation: string,
    work: (deadlineMs: number) => Promise<Result>,
    onSuspicion?: () => void,
  ): Promise<Outcome<Result>>;
  /** How long until Redis is tried again, in milliseconds; 0 when that is now. */
  readonly waitMs: number;
}

export interface AttemptsOptions {
  /** Must open at the first failure that is reported to it: `Attempts` itself finds out what is an outage. */
  readonly breaker: Breaker;
  readonly latency: LatencyEstimator;
  readonly transportName: string;
  /**
   * Whether a caller waits until it is clear that Redis is away. Otherwise it waits for as long as an answer usually
   * takes, plus the budget.
   */
  readonly waitsUntilClear: boolean;
  /** Whether one refusal or late answer is a suspicion: other processes may have seen nothing but failures. */
  readonly isWary: boolean;
  /** @param silentMs - For how long Redis has not answered. */
  readonly onAway: (error: TransportError, silentMs: number) => void;
  /** @param isSuspect - Whether other processes may have concluded that Redis is away. */
  readonly onAnswer: (isSuspect: boolean) => void;
  /** An answer is missing: another server may answer the next request. */
  readonly onDoubt: () => void;
  readonly onFailure: (operation: string, error: Error) => void;
}

/** Redis is away after it was silent for this many times its usual answer time: a single answer may be late. */
const silences = 3;
/** Redis is away after it has refused requests for this long, or for its usual answer time if that is shorter. */
const refusalsMs = 300;
/** A refused request is sent again after this pause, which doubles each time. */
const firstPauseMs = 20;
const longestPauseMs = 80;
/** How long a process that has never reached Redis keeps trying when its connections are refused. */
const firstRefusalsMs = 1_000;
/** Redis was nearly away when it was silent for this part of the time after which it counts as away. */
const nearly = 0.6;

export function createAttempts(options: AttemptsOptions): Attempts {
  const { breaker, latency, transportName, waitsUntilClear, isWary } = options;
  const { onAway, onAnswer, onDoubt, onFailure } = options;
  /** Until then the half-open probe keeps its permit. The request that holds it may disappear. */
  let probeUntilMs = Number.NEGATIVE_INFINITY;
  const silence = createSilence(latency);

  const enter = (): ReturnType<Breaker["acquire"]> => {
    if (breaker.state === "half-open" && performance.now() >= probeUntilMs) breaker.release("probe");
    const entered = breaker.acquire();
    if (entered === "probe") probeUntilMs = performance.now() + 2 * latency.callerTimeoutMs();
    return entered;
  };

  return {
    get waitMs() {
      return breaker.waitMs;
    },
    async run(operation, work, onSuspicion) {
      const entered = enter();
      if (!entered) return { reason: "away" };
      const startedMs = performance.now();
      const limitMs = (waitsUntilClear ? silences : 1) * latency.callerTimeoutMs();
      let isSuspect = false;
      let pauseMs = firstPauseMs;
      let request = silence.send(work);
      let waitMs = latency.callerTimeoutMs();
      for (;;) {
        const received = await receive(request, waitMs, transportName);
        if ("result" in received) {
          breaker.succeeded(entered);
          if (breaker.state === "closed") onAnswer(isSuspect);
          return received;
        }
        const { error, isUnderWay } = received;
        if (!isOutage(error)) {
          breaker.release(entered);
          onFailure(operation, error as Error);
          return { reason: "away" };
        }
        onDoubt();
        const nowMs = performance.now();
        const silentMs = silence.lengthMs(nowMs);
        const awayMs = awayAfterMs(latency, !isUnderWay);
        if (!isSuspect && (isWary || silentMs + pauseMs >= nearly * awayMs)) {
          isSuspect = true;
          onSuspicion?.();
        }
        latency.failed();
        const isAway = saysAway(error) || entered === "probe" || breaker.state !== "closed" || silentMs >= awayMs;
        if (isAway) {
          breaker.failed(error, entered);
          onAway(error, silentMs);
        }
        const isAnsweringOthers = silence.hasAnsweredSince(startedMs);
        if (isAway || (nowMs - startedMs >= limitMs && (isAnsweringOthers || !waitsUntilClear))) {
          onFailure(operation, error);
          return { reason: isAway ? "away" : "late" };
        }
        waitMs = latency.callerTimeoutMs();
        if (isUnderWay) {
          waitMs = Math.min(waitMs, awayMs - silentMs);
          continue;
        }
        // A proxy between this process and Redis may say how long it will go on refusing.
        await pause(Math.min(Math.max(pauseMs, error.retryAfterMs ?? 0), awayMs - silentMs));
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
        request = silence.send(work);
      }
    },
  };
}

/** Tracks for how long Redis has not answered. */
interface Silence {
  /** Sends a request, and notes when its answer arrives. */
  send<Result>(work: (deadlineMs: number) => Promise<Result>): Promise<Result>;
  /** How long ago the last answer arrived, or the first request after it was sent. */
  lengthMs(nowMs: number): number;
  hasAnsweredSince(timeMs: number): boolean;
}

function createSilence(latency: LatencyEstimator): Silence {
  let lastAnswerMs = Number.NEGATIVE_INFINITY;
  /** When the first request since the last answer was sent. */
  let unansweredMs = Number.NEGATIVE_INFINITY;
  return {
    send(work) {
      const begun = latency.start();
      if (unansweredMs <= lastAnswerMs) unansweredMs = performance.now();
      const answered = (): void => {
        begun();
        lastAnswerMs = performance.now();
      };
      return work(latency.requestTimeoutMs()).then(
        (result) => {
          answered();
          return result;
        },
        (error) => {
          if (isCommandError(error)) answered();
          throw error;
        },
      );
    },
    lengthMs: (nowMs) => nowMs - Math.max(unansweredMs, lastAnswerMs),
    hasAnsweredSince: (timeMs) => lastAnswerMs > timeMs,
  };
}

type Received<Result> = { readonly result: Result } | { readonly error: unknown; readonly isUnderWay: boolean };

/** Waits for the answer to a request. A request that is late stays under way, and may still be answered. */
async function receive<Result>(
  request: Promise<Result>,
  timeoutMs: number,
  transportName: string,
): Promise<Received<Result>> {
  try {
    const result = await withTimeout(timeoutMs, request);
    return result === timedOut ? { error: lateError(transportName, timeoutMs), isUnderWay: true } : { result };
  } catch (error) {
    return { error, isUnderWay: false };
  }
}

/** How long Redis must have been silent, or must have refused requests, until it counts as away. */
function awayAfterMs(latency: LatencyEstimator, isRefused: boolean): number {
  const timeoutMs = latency.callerTimeoutMs();
  if (!latency.isKnown) return isRefused ? firstRefusalsMs : timeoutMs;
  return isRefused ? Math.min(timeoutMs, refusalsMs) : silences * timeoutMs;
}

/** Whether the error itself says that Redis will refuse the next requests too. */
const saysAway = ({ kind }: TransportError): boolean => kind === "quota" || kind === "unauthorized";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const lateError = (transport: string, timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `No answer within ${Math.round(timeoutMs)} ms (raise \`budget\`, or look at the server and the network)`,
    { transport },
  );
