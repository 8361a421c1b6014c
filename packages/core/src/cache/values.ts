import type { Codec } from "../codecs/codec.ts";
import { isCommandError } from "../errors/command-error.ts";
import type { Events } from "../ports/events.ts";
import type { Reply } from "../ports/transport.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";

/** The border between the caller's values and what is stored. */
export interface Values {
  /** What to store, or `undefined` when it is too large: then the `skipped` event has told it. */
  toStored(key: string, value: unknown): string | Uint8Array | undefined;
  /** What can't be left out: a list's item, a message. @throws RangeError when it is too large. */
  toItem(kind: "item" | "message", place: string, value: unknown): string | Uint8Array;
  /** The value, or `undefined` when there is none or it can't be read: then the `error` event has told it. */
  fromStored(operation: string, key: string, reply: Reply | undefined): unknown;
}

const encoder = new TextEncoder();

export function createValues(
  codec: Codec,
  maxValueBytes: number,
  events: Events<CacheEvents>,
  stats: StatsRecorder,
): Values {
  /** Its length in bytes when that is over the limit. */
  const excess = (stored: string | Uint8Array): number | undefined => {
    // A UTF-16 unit is at most three bytes: most texts need no encoding to be measured.
    if (typeof stored === "string" && stored.length * 3 <= maxValueBytes) return undefined;
    const bytes = typeof stored === "string" ? encoder.encode(stored).length : stored.length;
    return bytes > maxValueBytes ? bytes : undefined;
  };
  return {
    toStored(key, value) {
      const stored = codec.encode(value);
      const bytes = excess(stored);
      if (bytes === undefined) return stored;
      stats.count("skipped");
      events.emit("skipped", { key, bytes, maxValueBytes });
      return undefined;
    },
    toItem(kind, place, value) {
      const stored = codec.encode(value);
      const bytes = excess(stored);
      if (bytes === undefined) return stored;
      throw new RangeError(
        `Expected ${kind === "item" ? "an item for the list" : "a message for the channel"} ${JSON.stringify(place.slice(0, 40))} of at most ${maxValueBytes} bytes, got ${bytes}; store less, or raise \`maxValueBytes\``,
      );
    },
    fromStored(operation, key, reply) {
      if (isCommandError(reply)) throw reply;
      if (reply === null || reply === undefined) return undefined;
      if (typeof reply === "number") return reply;
      try {
        return codec.decode(reply as string | Uint8Array);
      } catch (error) {
        stats.count("errors");
        events.emit("error", { operation, key, error: error as Error });
        return undefined;
      }
    },
  };
}
