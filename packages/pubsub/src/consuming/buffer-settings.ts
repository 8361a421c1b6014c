import type { BufferOptions } from "../buffer-options.ts";
import type { Message } from "../message.ts";

/** Buffer options as they are worked with: checked, defaults filled in. */
export interface BufferSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly whenFull: "drop-oldest" | "conflate" | "disconnect";
  readonly key: (message: Message) => string;
}

/** @throws RangeError or TypeError that quotes what came. */
export function readBuffer(options: BufferOptions = {}): BufferSettings {
  const { maxMessages = 1_000, maxBytes = 16 << 20, whenFull = "drop-oldest", key } = options;
  for (const [name, value] of Object.entries({ maxMessages, maxBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Expected \`buffer.${name}\` to be a whole number of at least 1, got ${String(value)}`);
    }
  }
  if (!["drop-oldest", "conflate", "disconnect"].includes(whenFull)) {
    throw new RangeError(
      `Expected \`buffer.whenFull\` to be "drop-oldest", "conflate" or "disconnect", got ${JSON.stringify(whenFull)}`,
    );
  }
  if (key !== undefined && (typeof key !== "function" || whenFull !== "conflate")) {
    throw new TypeError('Expected `buffer.key` to be a function, and only with `whenFull: "conflate"`');
  }
  return { maxMessages, maxBytes, whenFull, key: key ?? (({ channel }) => channel) };
}
