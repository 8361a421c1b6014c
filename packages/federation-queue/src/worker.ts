import type { Duration } from "@continuum-cache/core";
import type { Lease } from "./lease.ts";

/** Does the work of one message. Returning acks it, throwing nacks it, unless the handler has done so itself. */
export type Handler<Event> = (event: Event, lease: Lease<Event>) => unknown;

/** How a worker works. */
export interface ConsumeOptions {
  /** How many messages are worked on at once. @default 1 */
  readonly concurrency?: number;
  /** Leases are extended while the handler works, for so long at most. @default "1h" */
  readonly maxDuration?: Duration;
  /** Ends the worker, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/** What a stop may ask for. */
export interface StopOptions {
  /** How long handlers may go on; what is unfinished by then is given back. @default "30s" */
  readonly timeout?: Duration;
}

/** A running `consume`. */
export interface Worker extends AsyncDisposable {
  /** How many messages are being worked on. */
  readonly running: number;
  /** Takes no more messages, waits for the handlers, and gives back what was not begun or not finished. Safe to call twice. */
  stop(options?: StopOptions): Promise<void>;
}
