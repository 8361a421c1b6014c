import type { CallOptions, Duration } from "@continuum-cache/core";

/** What a call may ask for. */
export interface CallingOptions extends Pick<CallOptions, "signal"> {
  /** How long the call may take. @default the queue's */
  readonly timeout?: Duration;
}

/** How much to take. */
export interface PullOptions extends CallingOptions {
  /** How many messages at most, up to 500. @default 1 */
  readonly max?: number;
}

/** How many dead messages to look at. */
export interface DeadOptions extends CallingOptions {
  /** At most, up to 10,000. @default 100 */
  readonly max?: number;
}

/** Which dead messages to push again. It takes a trip or two for each 100; `timeout` is for each of them. */
export interface RedriveOptions extends CallingOptions {
  /** How many at most. @default all */
  readonly max?: number;
  /** Only messages with these ids. @default all */
  readonly ids?: readonly string[];
}
