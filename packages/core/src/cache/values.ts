import type { Codec } from "../codecs/codec.ts";
import { isCommandError } from "../errors/command-error.ts";
import type { Events } from "../ports/events.ts";
import type { Reply } from "../ports/transport.ts";
import type { CacheEvents } from "./cache-events.ts";
import type { StatsRecorder } from "./cache-stats.ts";

/** A value for several callers: each call gives the next caller a copy of its own. */
export type Copies = () => unknown;

/** The border between the caller's values and what is stored. */
export interface Values {
  /** What to store. @throws CodecError when the codec can't write it. */
  toStored(value: unknown): string | Uint8Array;
  /** Whether it may be stored; when it is too large the `skipped` event has told it. */
  fits(key: string, stored: string | Uint8Array): boolean;
  /** What can't be left out: a list's item, a message. @throws RangeError when it is too large. */
  toItem(kind: "item" | "message", place: string, value: unknown): string | Uint8Array;
  /** The value, or `undefined` when there is none or it can't be read: then the `error` event has told it. */
  fromStored(operation: string, key: string, reply: Reply | undefined): unknown;
  /** The same for several callers. */
  copiesOf(operation: string, key: string, reply: Reply | undefined): Copies | undefined;
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
  const fromStored: Values["fromStored"] = (operation, key, reply) => {
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
  };
  return {
    toStored: (value) => codec.encode(value),
    fits(key, stored) {
      const bytes = excess(stored);
      if (bytes === undefined) return true;
      stats.count("skipped");
      events.emit("skipped", { key, bytes, maxValueBytes });
      return false;
    },
    toItem(kind, place, value) {
      const stored = codec.encode(value);
      const bytes = excess(stored);
      if (bytes === undefined) return stored;
      throw new RangeError(
        `Expected ${kind === "item" ? "an item for the list" : "a message for the channel"} ${JSON.stringify(place.slice(0, 40))} of at most ${maxValueBytes} bytes, got ${bytes}; store less, or raise \`maxValueBytes\``,
      );
    },
    fromStored,
    copiesOf(operation, key, reply) {
      const first = fromStored(operation, key, reply);
      if (first === undefined) return undefined;
      let isTaken = false;
      return () => {
        if (typeof first !== "object" || first === null) return first;
        if (isTaken) return codec.decode(reply as string | Uint8Array);
        isTaken = true;
        return first;
      };
    },
  };
}
