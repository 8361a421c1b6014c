import type { CallOptions, Duration } from "@continuum-cache/core";

/** What a call to a log may ask for. */
export interface LogCallOptions extends Pick<CallOptions, "signal"> {
  /** How long the call may take. @default the log's */
  readonly timeout?: Duration;
}

/** What an append may ask for. */
export interface AppendOptions extends LogCallOptions {
  /** `false`: it rejects when Redis does not answer in time or the name is another's, instead of waiting here. @default true */
  readonly fallback?: boolean;
}
