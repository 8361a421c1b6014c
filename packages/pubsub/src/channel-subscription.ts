import type { Position } from "./position.ts";

/** What is being listened to, as one call has asked for it. */
export interface ChannelSubscription {
  /** The channels or patterns. */
  readonly names: readonly string[];
  /** With `replay`: the last message that was handed out, to resume behind it later, even in another process. */
  readonly position?: Position | undefined;
  /** Stops listening; nothing is handed out any more. Safe to call twice. */
  close(): Promise<void>;
}
