import type { Duration } from "@continuum-cache/core";
import type { ReplayOptions } from "./replay-options.ts";

/** How a message is published. */
export interface PublishOptions {
  /** Keeps it in the channel's history, for those who are not listening now. @default what the PubSub says */
  readonly replay?: boolean | ReplayOptions;
  /** How long the call may take; a bare number is seconds. @default the `timeout` of the PubSub */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
  /** `false` refuses to tell this process alone while the primary is away. @default true */
  readonly fallback?: boolean;
}
