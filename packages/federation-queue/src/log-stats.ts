/** How a log stands. */
export interface LogStats {
  /** Appends that wait in this process. */
  readonly pending: number;
  /** Whether this process holds the name of its instance now, as far as it knows. */
  readonly isHolder: boolean;
  /** All origins there are, this instance's among them. */
  readonly origins: Readonly<Record<string, OriginStats>>;
}

/** How the events of one origin stand. */
export interface OriginStats {
  /** How many events are kept. */
  readonly length: number;
  /** The number of its last event, kept or not; 0: it has none. */
  readonly lastSeq: number;
  /** When that was, in milliseconds since 1970, by the origin's clock; 0: never. */
  readonly lastAtMs: number;
  /** How many events this instance has not committed yet. 0 for its own. */
  readonly behind: number;
  /** Whether a process holds the name now. */
  readonly isHeld: boolean;
}
