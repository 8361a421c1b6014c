import type { Codec, Duration, Transport } from "@continuum-cache/core";
import type { Gap, Message, Position } from "./types.ts";

/** What a PubSub stands on: a `Cache`, or just a transport. */
export interface PubSubBackend {
  readonly transport: Transport;
  /** How data is written when the options don't say. @default json() */
  readonly codec?: Codec;
}

/** How a PubSub publishes and listens. A bare number for a time is seconds. */
export interface PubSubOptions {
  /** How data is written. Of a list the first writes and all read; JSON is always read. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /** Whether channels have a history, where `subscribe` and `publish` don't say so themselves. @default false */
  readonly replay?: boolean | ReplayOptions;
  /** What may wait for `listen()`. @default { maxMessages: 1_000, maxBytes: 16 MiB, whenFull: "drop-oldest" } */
  readonly buffer?: BufferOptions;
  /** How long a call may take when it doesn't say so itself. @default "5s" */
  readonly timeout?: Duration;
  /**
   * How often a stream has to prove that it lives, by hearing what this process publishes. A connection whose other end is
   * gone is noticed within this time and `probeTimeout`; each proof is one PUBLISH, 80 an hour by default. @default "45s"
   */
  readonly watchdog?: Duration;
  /** How long the proof may take. @default "2s" */
  readonly probeTimeout?: Duration;
  /** The longest wait between two attempts to reconnect. @default "5s" */
  readonly maxReconnectWait?: Duration;
  /** Larger messages are refused, in bytes as they travel. @default 4_194_304 (4 MiB) */
  readonly maxMessageBytes?: number;
  /** The channel of the proofs, before a mark of this process: a user with an ACL must be allowed it. @default "continuum-cache:alive" */
  readonly probeChannel?: string;
}

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

/** How a loop over messages ends. */
export interface ListenOptions {
  /** Ends the loop at once, whatever waits. */
  readonly signal?: AbortSignal;
}

/** How much may wait for a consumer that is slower than messages come, and what happens then. */
export interface BufferOptions {
  /** The most messages. @default 1_000 */
  readonly maxMessages?: number;
  /** The most bytes, counted as messages travel. @default 16_777_216 (16 MiB) */
  readonly maxBytes?: number;
  /**
   * When it is full: `"drop-oldest"` lets the oldest go and tells their number as a gap; `"conflate"` keeps only the
   * newest message of each `key`, and drops the oldest when that is not enough; `"disconnect"` ends the iteration with a
   * `SlowConsumerError`, whose positions say where to resume. @default "drop-oldest"
   */
  readonly whenFull?: "drop-oldest" | "conflate" | "disconnect";
  /** With `"conflate"`: what a message is about. @default its channel */
  readonly key?: (message: Message) => string;
}

/** How much history a channel keeps. */
export interface ReplayOptions {
  /** At least how many messages are kept; the server may keep up to a hundred more. @default 1_000 */
  readonly count?: number;
  /** For how long a message is kept; a bare number is seconds. @default "1h" */
  readonly age?: Duration;
}
