import { isCommandError, TransportError } from "@continuum-cache/core";
import { type Breaker, isOutage } from "@continuum-cache/core/kit";
import { timeIsUp, withPatience } from "../timing/patience.ts";
import type { RoundTrip } from "../timing/round-trip.ts";

/** What Redis made of a request. */
export type Outcome<Result> =
  | { readonly result: Result; readonly reason?: never }
  /**
   * `"away"`: Redis is away, or refuses. `"late"`: it may be at work for others, but gave this process no answer in
   * time.
   */
  | { readonly result?: never; readonly reason: "away" | "late" };

/** Lets Redis answer if it can, and notices when it is away and when it is back. */
export interface Attempts {
  /**
   * Never rejects: what went wrong has been reported by the time it resolves. Work that is late goes on, and does
   * what it does when its answer comes.
   *
   * @param work - Sends one request to Redis, which is listened to for so long.
   * @param onSuspicion - Called once, while it waits, when other processes may have taken Redis for away.
   */
  run<Result>(
    operation: string,
    work: (deadlineMs: number) => Promise<Result>,
    onSuspicion?: () => void,
  ): Promise<Outcome<Result>>;
  /** How long until Redis is asked again, in milliseconds; 0 when that is now. */
  readonly waitMs: number;
}

export interface AttemptsOptions {
  /** It opens at the first failure that it is told of: what is an outage is found out here. */
  readonly breaker: Breaker;
  readonly roundTrip: RoundTrip;
  readonly transportName: string;
  /**
   * Whether a caller is kept waiting until it is clear that Redis is away. Otherwise it waits for as long as an
   * answer usually takes, and the budget.
   */
  readonly waitsUntilClear: boolean;
  /** Whether one refusal or late answer is a suspicion: others may have met nothing else. */
  readonly isWary: boolean;
  /** @param silentMs - For how long Redis has not answered. */
  readonly onAway: (error: TransportError, silentMs: number) => void;
  /** @param isSuspect - Other processes may have taken Redis for away. */
  readonly onAnswer: (isSuspect: boolean) => void;
  /** An answer is missing: what answers next may be another server. */
  readonly onDoubt: () => void;
  readonly onFailure: (operation: string, error: Error) => void;
}

/** Redis is away when it was silent for this many times as long as its answers are waited for: one may be late. */
const silences = 3;
/** Redis is away when it has refused requests for so long, or as long as its answers are waited for if that is less. */
const refusalsMs = 300;
/** A request that was refused is sent again after this, and after twice as long each time. */
const firstPauseMs = 20;
const longestPauseMs = 80;
/** How long a process that has never reached Redis tries to when nothing listens there. */
const firstRefusalsMs = 1_000;
/** Redis was nearly away when it was silent for this part of the time after which it counts as away. */
const nearly = 0.6;

export function createAttempts(options: AttemptsOptions): Attempts {
  const { breaker, roundTrip, transportName, waitsUntilClear, isWary } = options;
  const { onAway, onAnswer, onDoubt, onFailure } = options;
  /** Until then the request that finds out whether Redis is back has its place. Its owner may be gone for good. */
  let probeUntilMs = Number.NEGATIVE_INFINITY;
  let lastAnswerMs = Number.NEGATIVE_INFINITY;
  /** When the first request was sent of those since the last answer. */
  let unansweredMs = Number.NEGATIVE_INFINITY;

  const enter = (): ReturnType<Breaker["acquire"]> => {
    if (breaker.state === "half-open" && performance.now() >= probeUntilMs) breaker.release("probe");
    const entered = breaker.acquire();
    if (entered === "probe") probeUntilMs = performance.now() + 2 * roundTrip.patienceMs();
    return entered;
  };

  const send = <Result>(work: (deadlineMs: number) => Promise<Result>): Promise<Result> => {
    const begun = roundTrip.begins();
    if (unansweredMs <= lastAnswerMs) unansweredMs = performance.now();
    const answered = (): void => {
      begun();
      lastAnswerMs = performance.now();
    };
    return work(roundTrip.deadlineMs()).then(
      (result) => {
        answered();
        return result;
      },
      (error) => {
        if (isCommandError(error)) answered();
        throw error;
      },
    );
  };

  /** The answer, or why there is none in the time that it is given; then it may still come. */
  const hear = async <Result>(request: Promise<Result>, patienceMs: number): Promise<Heard<Result>> => {
    try {
      const result = await withPatience(patienceMs, request);
      return result === timeIsUp ? { error: lateError(transportName, patienceMs), isUnderWay: true } : { result };
    } catch (error) {
      return { error, isUnderWay: false };
    }
  };

  /** For how long Redis must not have answered until it counts as away. */
  const awayAfterMs = (isRefused: boolean): number => {
    const patienceMs = roundTrip.patienceMs();
    if (!roundTrip.isKnown) return isRefused ? firstRefusalsMs : patienceMs;
    return isRefused ? Math.min(patienceMs, refusalsMs) : silences * patienceMs;
  };

  return {
    get waitMs() {
      return breaker.waitMs;
    },
    async run(operation, work, onSuspicion) {
      const entered = enter();
      if (!entered) return { reason: "away" };
      const startedMs = performance.now();
      const limitMs = (waitsUntilClear ? silences : 1) * roundTrip.patienceMs();
      let isSuspect = false;
      let pauseMs = firstPauseMs;
      let request = send(work);
      let waitMs = roundTrip.patienceMs();
      for (;;) {
        const heard = await hear(request, waitMs);
        if ("result" in heard) {
          breaker.succeeded(entered);
          if (breaker.state === "closed") onAnswer(isSuspect);
          return heard;
        }
        const { error, isUnderWay } = heard;
        if (!isOutage(error)) {
          breaker.release(entered);
          onFailure(operation, error as Error);
          return { reason: "away" };
        }
        onDoubt();
        const nowMs = performance.now();
        const silentMs = nowMs - Math.max(unansweredMs, lastAnswerMs);
        const awayMs = awayAfterMs(!isUnderWay);
        if (!isSuspect && (isWary || silentMs + pauseMs >= nearly * awayMs)) {
          isSuspect = true;
          onSuspicion?.();
        }
        roundTrip.failed();
        const isTold = error.kind === "quota" || error.kind === "unauthorized";
        const isAway = isTold || entered === "probe" || breaker.state !== "closed" || silentMs >= awayMs;
        if (isAway) {
          breaker.failed(error, entered);
          onAway(error, silentMs);
        }
        const isAtWork = lastAnswerMs > startedMs;
        if (isAway || (nowMs - startedMs >= limitMs && (isAtWork || !waitsUntilClear))) {
          onFailure(operation, error);
          return { reason: isAway ? "away" : "late" };
        }
        waitMs = roundTrip.patienceMs();
        if (isUnderWay) {
          waitMs = Math.min(waitMs, awayMs - silentMs);
          continue;
        }
        // What stands in between may know how long it is in vain to ask.
        await pause(Math.min(Math.max(pauseMs, error.retryAfterMs ?? 0), awayMs - silentMs));
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
        request = send(work);
      }
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Heard<Result> = { readonly result: Result } | { readonly error: unknown; readonly isUnderWay: boolean };

const lateError = (transport: string, patienceMs: number): TransportError =>
  new TransportError(
    "timeout",
    `No answer within ${Math.round(patienceMs)} ms (raise \`budget\`, or look at the server and the network)`,
    { transport },
  );
