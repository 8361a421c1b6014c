/** Time that never goes back and never falls behind what was seen of others, yet stays near the server's. */
export interface HybridClock {
  /** The time of an event that happens now, in ms since 1970. */
  next(): number;
  /** An event of another origin has been seen. */
  see(atMs: number): void;
  /** What the server's clock shows, in ms since 1970; 0: never heard. */
  readonly serverMs: number;
  knowServerMs(ms: number): void;
  /** No later than the server's clock allows. */
  bounded(atMs: number): number;
}

/** How far a clock may be ahead of the others, or behind: one that is further off is not followed. */
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
    see(atMs) {
      if (atMs <= last) return;
      last = Math.max(last, Math.min(atMs, Math.floor(wallMs()) + maxSkewMs));
    },
    get serverMs() {
      return serverMs();
    },
    knowServerMs(ms) {
      offsetMs = ms - steady();
    },
    bounded,
  };
}
