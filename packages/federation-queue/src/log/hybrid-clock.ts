/**
 * A hybrid logical clock: it never goes back, never falls behind events that it has observed, and stays near the
 * server's.
 */
export interface HybridClock {
  /** The time of an event that happens now, in ms since 1970. */
  next(): number;
  /** This process has read an event of another origin. */
  observe(atMs: number): void;
  /** The server's time, in ms since 1970; 0 while it is unknown. */
  readonly serverMs: number;
  setServerMs(ms: number): void;
  /** This time, but no more than the allowed skew ahead of the server's clock. */
  bounded(atMs: number): number;
}

/** How far two clocks may differ. A clock that is further off is not followed. */
const maxSkewMs = 60_000;

/** @param now - This machine's clock, in ms since 1970. @param steady - One that only goes forward, in ms. */
export function createHybridClock(
  now: () => number = Date.now,
  steady: () => number = () => performance.now(),
): HybridClock {
  let last = 0;
  /** The server's clock less the steady one. */
  let offsetMs: number | undefined;

  const serverMs = (): number => (offsetMs === undefined ? 0 : Math.floor(offsetMs + steady()));
  const bounded = (atMs: number): number => (offsetMs === undefined ? atMs : Math.min(atMs, serverMs() + maxSkewMs));
  const wallMs = (): number => (offsetMs === undefined ? now() : Math.max(bounded(now()), serverMs() - maxSkewMs));

  return {
    next() {
      last = Math.max(last, Math.floor(wallMs()));
      return last;
    },
    observe(atMs) {
      if (atMs <= last) return;
      last = Math.max(last, Math.min(atMs, Math.floor(wallMs()) + maxSkewMs));
    },
    get serverMs() {
      return serverMs();
    },
    setServerMs(ms) {
      offsetMs = ms - steady();
    },
    bounded,
  };
}
