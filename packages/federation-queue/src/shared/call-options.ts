import type { CallOptions, Duration } from "@continuum-cache/core";
import type { KnownOptions } from "@continuum-cache/core/kit";

/** What a call to a log may ask for. */
export interface LogCallOptions extends Pick<CallOptions, "signal"> {
  /** How long the call may take. @default the log's */
  readonly timeout?: Duration;
}

export const knownCall: KnownOptions<LogCallOptions> = { timeout: true, signal: true };
