/**
 * How many messages are taken before there is a hand for them: as many as handlers finish while a trip is under way or in a
 * small part of their own time, so that slow work holds nothing back from other workers, and quick work never waits.
 */
export interface Prefetch {
  readonly ahead: number;
  tripTook(ms: number): void;
  handlerTook(ms: number): void;
}

const mostAhead = 200;
/** The share of the latest in what is remembered. */
const share = 0.1;
/** Beside the trip itself: what may come between. */
const slackMs = 2;
/** Where handlers take long, so much of their time, so that not each message costs a trip of its own; but no longer. */
const shareOfHandler = 0.1;
const longestMs = 250;

export function createPrefetch(concurrency: number): Prefetch {
  let tripMs = 0;
  let handlerMs: number | undefined;
  const smooth = (known: number, ms: number): number => known + share * (ms - known);
  return {
    get ahead() {
      if (handlerMs === undefined) return 0;
      const aheadMs = Math.max(2 * tripMs + slackMs, Math.min(longestMs, shareOfHandler * handlerMs));
      return Math.min(mostAhead, Math.floor((concurrency * aheadMs) / Math.max(handlerMs, 0.01)));
    },
    tripTook(ms) {
      tripMs = tripMs === 0 ? ms : smooth(tripMs, ms);
    },
    handlerTook(ms) {
      handlerMs = handlerMs === undefined ? ms : smooth(handlerMs, ms);
    },
  };
}
