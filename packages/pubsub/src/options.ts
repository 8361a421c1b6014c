import type { Codec, Duration, Transport } from "@continuum-cache/core";
import type { Gap, Message, Position } from "./types.ts";

/** What a PubSub uses: a `Cache`, or just a transport. */
export interface PubSubBackend {
  readonly transport: Transport;
  /** Encodes data when the options name no codec. @default json() */
  readonly codec?: Codec;
}

/** Options of a PubSub. A bare number for a time is seconds. */
export interface PubSubOptions {
  /** Encodes data. The first of a list encodes, all decode; JSON is always decoded. @default the backend's */
  readonly codec?: Codec | readonly Codec[];
  /** Whether channels have a history, where `subscribe` and `publish` don't say. @default false */
  readonly replay?: boolean | ReplayOptions;
  /**
   * How many messages may wait for `listen()`. @default { maxMessages: 1_000, maxBytes: 16 MiB, whenFull: "drop-oldest"
   * }
   */
  readonly buffer?: BufferOptions;
  /** How long a call may take, where it does not say. @default "5s" */
  readonly timeout?: Duration;
  /**
   * How often a stream must prove that it is alive, by hearing a message that this process publishes. A dead connection
   * is noticed within this time plus `probeTimeout`. Each proof is one PUBLISH: 80 an hour by default.
   * @default "45s"
   */
  readonly watchdog?: Duration;
  /** How long the proof may take. @default "2s" */
  readonly probeTimeout?: Duration;
  /** The longest wait between two attempts to reconnect. @default "5s" */
  readonly maxReconnectWait?: Duration;
  /** Larger messages are refused, in bytes as they travel. @default 4_194_304 (4 MiB) */
  readonly maxMessageBytes?: number;
  /**
   * The channel of the proofs, before a random mark of this process. An ACL must allow it.
   * @default "continuum-cache:alive"
   */
  readonly probeChannel?: string;
}

/** Handlers for the messages and gaps of one subscription. */
export interface SubscriptionHandlers<Data> {
  /**
   * Called for each message, in order. The messages of a subscription with a handler do not go to `listen()` and
   * `on("message")`.
   */
  readonly onMessage?: (message: Message<Data>) => void;
  /** Called for each gap, before the first message behind it. */
  readonly onGap?: (gap: Gap) => void;
}

/** Limits of one call of `subscribe`. */
export interface SubscribeCallOptions {
  /** How long the call may take; a bare number is seconds. @default the `timeout` of the PubSub */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/** Options of a subscription to channels. */
export interface SubscribeOptions<Data = unknown> extends SubscriptionHandlers<Data>, SubscribeCallOptions {
  /**
   * Repairs every interruption from the channel's history. Publishers must use `replay` too.
   * @default the `replay` of the PubSub
   */
  readonly replay?: boolean | ReplayOptions;
  /**
   * With `replay`: begins behind this message, or with everything that is kept. A loop over `listen()` that got one of
   * the latest 4,096 messages from another open subscription does not get it again.
   * @default begins with the next message that is published
   */
  readonly after?: Position | "beginning";
}

/** Options of a publish. */
export interface PublishOptions {
  /** Keeps the message in the channel's history, for later subscribers. @default the `replay` of the PubSub */
  readonly replay?: boolean | ReplayOptions;
  /** How long the call may take; a bare number is seconds. @default the `timeout` of the PubSub */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
  /** `false` rejects instead of reaching this process alone while the primary is away. @default true */
  readonly fallback?: boolean;
}

/** Options of a loop over messages. */
export interface ListenOptions {
  /** Ends the loop at once, even if messages wait. */
  readonly signal?: AbortSignal;
}

/** How much may wait for a consumer that is slower than its messages, and what happens beyond that. */
export interface BufferOptions {
  /** The most messages. @default 1_000 */
  readonly maxMessages?: number;
  /** The most bytes, counted as messages travel. @default 16_777_216 (16 MiB) */
  readonly maxBytes?: number;
  /**
   * When the buffer is full: `"drop-oldest"` drops the oldest messages and reports their number as a gap; `"conflate"`
   * keeps only the newest message of each `key`, and drops the oldest if that is not enough; `"disconnect"` ends the
   * iteration with a `SlowConsumerError`, whose positions say where to resume.
   * @default "drop-oldest"
   */
  readonly whenFull?: "drop-oldest" | "conflate" | "disconnect";
  /** With `"conflate"`: newer messages of the same key replace older ones. @default its channel */
  readonly key?: (message: Message) => string;
}

/** How much history a channel keeps. */
export interface ReplayOptions {
  /** At least how many messages are kept; the server may keep up to a hundred more. @default 1_000 */
  readonly count?: number;
  /** For how long a message is kept; a bare number is seconds. @default "1h" */
  readonly age?: Duration;
}
