import type { Message, TransportError } from "@continuum-cache/core";

/** Whoever listens to a topic. Nothing is heard between `lost` and `restored`. */
export interface TopicListener {
  message(message: Message): void;
  /** The stream is broken: what was published after `sinceMs` may have been missed. */
  lost(loss: Loss): void;
  restored(back: Restoration): void;
}

/** A stream that broke. */
export interface Loss {
  /** The last time, in milliseconds since 1970, of which it is proven that everything published by then was heard. */
  readonly sinceMs: number;
  readonly error: TransportError;
}

/** A stream that is there again. */
export interface Restoration {
  /** When the server had confirmed, in milliseconds since 1970. */
  readonly atMs: number;
  /** The primary is away still: only what this process publishes is heard. */
  readonly degraded: boolean;
}
