/** How long Redis takes to answer this process, as measured, and how long to wait for an answer. */
export interface RoundTrip {
  /** Whether Redis has ever answered. */
  readonly isKnown: boolean;
  /** How long a caller waits for Redis before it is decided without it, in milliseconds. */
  patienceMs(): number;
  /** How long a request is listened to, in milliseconds: longer, since a late answer tells how slow Redis is now. */
  deadlineMs(): number;
  /** Begins a request. Returns the function to call when its answer is there. */
  begins(): () => void;
  /** A request got no answer: the next one may have to connect first. */
  failed(): void;
}

/** How long connecting and the first answer may take, which are outside of the budget. */
const firstAnswerMs = 5_000;
/** A connection that was idle for this long may be gone, so that the next request has to make a new one. */
const idleMs = 2_000;
/** How much of the longest connecting is remembered at the next one. */
const fading = 0.8;

/**
 * Answers are expected within the budget and what a round trip usually takes (TCP's estimate, RFC 6298: the smoothed
 * time and four times its variation), or as long as connecting took where a connection may have to be made.
 *
 * @param budgetMs - How long Redis has for a decision beyond its usual round trip.
 */
export function createRoundTrip(budgetMs: number): RoundTrip {
  /** Round trips on a connection that stood. */
  let usual: { smoothMs: number; variationMs: number } | undefined;
  /** Round trips that may have included the making of a connection; undefined until Redis has answered. */
  let connectingMs: number | undefined;
  let warmUntilMs = Number.NEGATIVE_INFINITY;

  const isWarm = (): boolean => performance.now() < warmUntilMs;

  const patienceMs = (): number => {
    if (connectingMs === undefined) return Math.max(firstAnswerMs, budgetMs);
    const usualMs = usual ? usual.smoothMs + 4 * usual.variationMs : connectingMs;
    return budgetMs + Math.min(firstAnswerMs, isWarm() ? usualMs : Math.max(usualMs, connectingMs));
  };

  const measured = (tookMs: number, wasWarm: boolean): void => {
    // The answers that an outage has held up say nothing about a usual one. A server that has become slow is believed
    // bit by bit.
    if (connectingMs !== undefined) tookMs = Math.min(tookMs, 2 * patienceMs());
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
    patienceMs,
    deadlineMs() {
      // In steps, so that the requests of one tick have the same and go together.
      const longMs = isWarm() ? Math.max(1_000, 4 * patienceMs()) : Math.max(firstAnswerMs, 2 * patienceMs());
      return Math.ceil(longMs / 1_000) * 1_000;
    },
    begins() {
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
