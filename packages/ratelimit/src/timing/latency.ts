/** Measures how long Redis takes to answer, and computes how long to wait for an answer. */
export interface LatencyEstimator {
  /** Whether Redis has ever answered. */
  readonly isKnown: boolean;
  /** How long a caller waits for Redis before this process decides by itself, in milliseconds. */
  callerTimeoutMs(): number;
  /** The deadline of a request, in milliseconds: longer, since a late answer shows how slow Redis is now. */
  requestTimeoutMs(): number;
  /** Begins a request. Returns the function to call when its answer arrives. */
  start(): () => void;
  /** A request got no answer: the next one may have to connect first. */
  failed(): void;
}

/** How long connecting and the first answer may take, which are outside of the budget. */
const firstAnswerMs = 5_000;
/** After this idle time the connection may be closed, so that the next request has to connect first. */
const idleMs = 2_000;
/** Each new connection multiplies the remembered time of connecting by this. */
const fading = 0.8;

/**
 * Answers are expected within the budget and what a round trip usually takes (TCP's estimate, RFC 6298: the smoothed
 * time and four times its variation), or as long as connecting took where a connection may have to be made.
 *
 * @param budgetMs - How long Redis has for a decision beyond its usual round trip.
 */
export function createLatencyEstimator(budgetMs: number): LatencyEstimator {
  /** Round trips on an open connection. */
  let usual: { smoothMs: number; variationMs: number } | undefined;
  /** Round trips that may have included connecting; undefined until Redis has answered. */
  let connectingMs: number | undefined;
  let warmUntilMs = Number.NEGATIVE_INFINITY;

  const isWarm = (): boolean => performance.now() < warmUntilMs;

  const callerTimeoutMs = (): number => {
    if (connectingMs === undefined) return Math.max(firstAnswerMs, budgetMs);
    const usualMs = usual ? usual.smoothMs + 4 * usual.variationMs : connectingMs;
    return budgetMs + Math.min(firstAnswerMs, isWarm() ? usualMs : Math.max(usualMs, connectingMs));
  };

  const measured = (tookMs: number, wasWarm: boolean): void => {
    // Answers that an outage has delayed are not usual ones. So one measurement counts for at most twice the usual
    // time: a server that has become slow raises the estimate step by step.
    if (connectingMs !== undefined) tookMs = Math.min(tookMs, 2 * callerTimeoutMs());
    if (!wasWarm) connectingMs = Math.max(tookMs, fading * (connectingMs ?? 0));
    else if (usual) {
      usual.variationMs += (Math.abs(tookMs - usual.smoothMs) - usual.variationMs) / 4;
      usual.smoothMs += (tookMs - usual.smoothMs) / 8;
    } else usual = { smoothMs: tookMs, variationMs: tookMs / 2 };
  };

  return {
    get isKnown() {
      return connectingMs !== undefined;
    },
    callerTimeoutMs,
    requestTimeoutMs() {
      // In whole seconds, so that the requests of one tick have the same deadline and share a batch.
      const longMs = isWarm() ? Math.max(1_000, 4 * callerTimeoutMs()) : Math.max(firstAnswerMs, 2 * callerTimeoutMs());
      return Math.ceil(longMs / 1_000) * 1_000;
    },
    start() {
      const sentMs = performance.now();
      const wasWarm = isWarm();
      return () => {
        const nowMs = performance.now();
        measured(nowMs - sentMs, wasWarm);
        warmUntilMs = nowMs + idleMs;
      };
    },
    failed() {
      warmUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}
