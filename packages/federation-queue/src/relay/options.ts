import type { Duration } from "@continuum-cache/core";

/** How a relay works. A bare number for a time is seconds. */
export interface RelayOptions {
  /** The `key` of the logs that it copies. @default "fed:sync:events" */
  readonly key?: string;
  /** How long events are kept at the destination: the same as the logs' own. @default "24h" */
  readonly retention?: Duration;
  /** How many events are fetched at once, of each origin. @default 100 */
  readonly batch?: number;
  /** How often it looks by itself, should a ring of the doorbell have been lost. @default "30s" */
  readonly pollInterval?: Duration;
  /** How long a trip to either side may take. @default "5s" */
  readonly timeout?: Duration;
  /** Closes it. */
  readonly signal?: AbortSignal;
}
