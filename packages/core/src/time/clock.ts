/**
 * Time as a port, so that tests can hold it. The globals are looked up at each call: whoever fakes them later is heard.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() };
