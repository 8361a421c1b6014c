import type { Duration } from "@continuum-cache/core";
import type { Gap } from "./gap.ts";
import type { Message } from "./message.ts";
import type { Position } from "./position.ts";
import type { ReplayOptions } from "./replay-options.ts";

/** Who is handed the messages of one subscription. */
export interface SubscriptionHandlers<Data> {
  /**
   * Called for each message, in order. With a handler of its own a subscription's messages go to that alone, not to
   * `listen()` and not to `on("message")`.
   */
  readonly onMessage?: (message: Message<Data>) => void;
  /** Called for each gap, before the first message behind it. */
  readonly onGap?: (gap: Gap) => void;
}

/** How one call of `subscribe` is answered. */
export interface SubscribeCallOptions {
  /** How long the call may take; a bare number is seconds. @default the `timeout` of the PubSub */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/** How a channel is listened to. */
export interface SubscribeOptions<Data = unknown> extends SubscriptionHandlers<Data>, SubscribeCallOptions {
  /** Repairs every interruption from the channel's history: whoever publishes must have asked for `replay` too. @default what the PubSub says */
  readonly replay?: boolean | ReplayOptions;
  /**
   * With `replay`: behind which message to begin, or with all that is kept. A loop over `listen()` that has had one of the
   * latest 4,096 messages from another open subscription does not get it again. @default with what is published from now on
   */
  readonly after?: Position | "beginning";
}
