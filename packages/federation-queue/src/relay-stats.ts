/** `"waiting"`: one side does not answer, or refuses; it is tried again until it does. */
export type RelayState = "running" | "waiting" | "closed";

/** How a relay stands. */
export interface RelayStats {
  readonly state: RelayState;
  /** How many events this relay has brought to the destination. */
  readonly copied: number;
  /** What went wrong last, if anything ever did. */
  readonly lastError: Error | undefined;
  /** The origins that it copies: those at the source, less those whose process is at the destination. */
  readonly origins: Readonly<Record<string, RelayedOrigin>>;
}

/** How the events of one origin stand on both sides. */
export interface RelayedOrigin {
  /** The number of its last event at the source. */
  readonly sourceSeq: number;
  /** The number of its last event at the destination. */
  readonly destinationSeq: number;
  /** How many events the destination lacks, those included that the source no longer has. */
  readonly behind: number;
}
