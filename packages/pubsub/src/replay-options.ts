import type { Duration } from "@continuum-cache/core";

/** How much history a channel keeps. */
export interface ReplayOptions {
  /** At least how many messages are kept; the server may keep up to a hundred more. @default 1_000 */
  readonly count?: number;
  /** For how long a message is kept; a bare number is seconds. @default "1h" */
  readonly age?: Duration;
}
