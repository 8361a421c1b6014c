import type { Codec, Duration, Transport } from "@continuum-cache/core";
import type { BufferOptions } from "./buffer-options.ts";
import type { ReplayOptions } from "./replay-options.ts";

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
