/**
 * The time as a port, so that a test can control it. The global is looked up at each call, so fake timers work.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() };
