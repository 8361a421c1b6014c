import { assertOptions, type KnownOptions, wholeNumberOption } from "@continuum-cache/core/kit";
import type { OutboxLimits } from "./outbox.ts";

/** The bounds of what waits in this process for Redis to be back. */
export interface OutboxOptions {
  /** @default 10_000 */
  readonly maxMessages?: number;
  /** @default 8_388_608 (8 MiB) */
  readonly maxBytes?: number;
}

const knownOutbox: KnownOptions<OutboxOptions> = { maxMessages: true, maxBytes: true };

/** @throws ConfigError that quotes what came. */
export function readOutbox(outbox: OutboxOptions): OutboxLimits {
  assertOptions("outbox", outbox, knownOutbox);
  return {
    maxItems: wholeNumberOption("outbox.maxMessages", outbox.maxMessages ?? 10_000),
    maxBytes: wholeNumberOption("outbox.maxBytes", outbox.maxBytes ?? 8 << 20),
  };
}
