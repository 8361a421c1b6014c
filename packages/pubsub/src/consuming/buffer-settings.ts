import { assertOptions, ConfigError, choiceOption, type KnownOptions, wholeNumberOption } from "@continuum-cache/core";
import type { BufferOptions } from "../buffer-options.ts";
import type { Message } from "../message.ts";

/** Buffer options as they are worked with: checked, defaults filled in. */
export interface BufferSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly whenFull: "drop-oldest" | "conflate" | "disconnect";
  readonly key: (message: Message) => string;
}

const known: KnownOptions<BufferOptions> = { maxMessages: true, maxBytes: true, whenFull: true, key: true };

/** @throws ConfigError that quotes what came. */
export function readBuffer(options: BufferOptions = {}): BufferSettings {
  assertOptions("buffer", options, known);
  const { maxMessages = 1_000, maxBytes = 16 << 20, whenFull = "drop-oldest", key } = options;
  if (key !== undefined && (typeof key !== "function" || whenFull !== "conflate")) {
    throw new ConfigError("key", 'Expected `buffer.key` to be a function, and only with `whenFull: "conflate"`');
  }
  return {
    maxMessages: wholeNumberOption("buffer.maxMessages", maxMessages),
    maxBytes: wholeNumberOption("buffer.maxBytes", maxBytes),
    whenFull: choiceOption("buffer.whenFull", whenFull, ["drop-oldest", "conflate", "disconnect"]),
    key: key ?? (({ channel }) => channel),
  };
}
