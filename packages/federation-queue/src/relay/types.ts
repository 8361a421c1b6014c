import type { Duration } from "@continuum-cache/core";
import type { LogGap } from "../log/types.ts";

/** How a relay works. A bare number for a time is seconds. */
export interface RelayOptions {
  /** The `key` of the logs that it copies. @default "fed:sync:events" */
  readonly key?: string;
  /** How long the destination keeps events: the same as the logs' own. @default "24h" */
  readonly retention?: Duration;
  /** How many events are read at once, of each origin. @default 100 */
  readonly batch?: number;
  /** How often it polls, in case a notification was lost. @default "30s" */
  readonly pollInterval?: Duration;
  /** How long a round trip to either side may take. @default "5s" */
  readonly timeout?: Duration;
  /** Closes the relay. */
  readonly signal?: AbortSignal;
}

/** `"waiting"`: one side does not reply, or refuses commands; the relay retries. */
export type RelayState = "running" | "waiting" | "closed";

/** The state of a relay. */
export interface RelayStats {
  readonly state: RelayState;
  /** How many events this relay has copied to the destination. */
  readonly copied: number;
  /** The last error, if there was one. */
  readonly lastError: Error | undefined;
  /** The origins that it copies: those at the source, less those whose process is at the destination. */
  readonly origins: Readonly<Record<string, RelayedOrigin>>;
}

/** The state of one origin's events on both sides. */
export interface RelayedOrigin {
  /** The number of its last event at the source. */
  readonly sourceSeq: number;
  /** The number of its last event at the destination. */
  readonly destinationSeq: number;
  /** How many events the destination lacks, including those that the source no longer has. */
  readonly behind: number;
}

/** The events that a relay emits. None of them holds a log event's content. */
export interface RelayEvents {
  /** The relay could not work; emitted once until it can again. */
  error: { readonly operation: string; readonly error: Error };
  /** Events of an origin were copied to the destination. */
  copied: { readonly origin: string; readonly count: number };
  /** The source lacks events that the destination has not got: readers of the destination get the same gap. */
  gap: LogGap;
  /**
   * The destination has lost events that it had (a failover, a flush): those that the source still has are copied
   * again.
   */
  repaired: { readonly origin: string };
}
