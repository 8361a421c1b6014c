import type { Message } from "./message.ts";

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
