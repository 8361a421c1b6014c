/** How one priority stands. */
export interface PriorityStats {
  /** Messages that wait to be given out. After a restart of Redis it may count some that are done, until they are swept. */
  readonly depth: number;
  /** Messages that are given out and not done. */
  readonly inFlight: number;
  /** How long the oldest message that is not done has been there, in milliseconds; 0 when there is none. */
  readonly oldestAgeMs: number;
}

/** How a queue stands. */
export interface QueueStats extends PriorityStats {
  readonly priorities: Readonly<Record<string, PriorityStats>>;
  /** Messages that are to be given out again, before all others: `depth`, `inFlight` and age as for a priority. */
  readonly again: PriorityStats;
  /** Messages whose time has not come. */
  readonly delayed: number;
  readonly dead: number;
  /** Pushes that wait in this process for Redis to be back. */
  readonly pending: number;
}
