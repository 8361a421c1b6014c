/** Why a message is dead. */
export type DeathReason = "failed" | "crashed" | "expired" | "unreadable";

/** A message that was given up. It is kept for `retention`, to be looked at or pushed again (`redrive`). */
export interface DeadLetter<Event = unknown> {
  readonly id: string;
  /** Undefined where it can't be read. */
  readonly event: Event | undefined;
  readonly priority: string;
  /** Failures of its handler (`maxAttempts`), processes that died with it (`maxCrashes`), its age, or its text. */
  readonly reason: DeathReason;
  /**
   * Why it failed last: the message of the error that its handler threw, the `reason` of its `nack`, or what the codec could
   * not read; at most 500 characters.
   */
  readonly detail?: string;
  readonly failures: number;
  readonly crashes: number;
  readonly pushedAt: Date;
  readonly diedAt: Date;
}
