import type { Duration } from "@continuum-cache/core";
import type { LogGap } from "../log/types.ts";

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

/** What a relay tells whoever listens. No event ever holds a log event's content. */
export interface RelayEvents {
  /** It could not do its work; told once until it can again. */
  error: { readonly operation: string; readonly error: Error };
  /** Events of an origin were brought to the destination. */
  copied: { readonly origin: string; readonly count: number };
  /** Events are missing at the source that the destination has not got: its readers will be told of the same gap. */
  gap: LogGap;
  /** The destination has lost events that it had (a failover, a flush): they are brought again, as far as they are kept. */
  repaired: { readonly origin: string };
}
