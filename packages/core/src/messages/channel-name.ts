import { isWellFormed } from "../text/text.ts";

/** The longest channel name, in bytes of UTF-8 as it travels. */
const maxChannelBytes = 4_096;

/** What a stream of events can't carry inside a name, and the escape itself. */
const isUnsafe = /[\p{Cc},%]/u;
const unsafe = new RegExp(isUnsafe, "gu");
const escaped = /%([0189][0-9A-F]|7F|2C|25|2E)/g;

/**
 * A channel's name as it travels. Nearly every name is its own; only what a stream of server-sent events can't carry is
 * escaped by `%` and two digits (control characters, the comma, `%` itself, and the whole names `.` and `..`), on every
 * transport, so that all of them mean the same channel.
 *
 * @throws TypeError when it is no channel: not a non-empty string of whole characters.
 * @throws RangeError when it is over 4,096 bytes.
 *
 * @example
 * ```ts
 * import { toWireChannel } from "@continuum-cache/core/kit";
 *
 * toWireChannel("ws:memory:updates"); // "ws:memory:updates"
 * toWireChannel("prices,eur"); // "prices%2Ceur"
 * ```
 */
export function toWireChannel(channel: string): string {
  assertName("channel", channel);
  if (channel === "." || channel === "..") return channel.replaceAll(".", "%2E");
  return channel.replace(unsafe, escaping);
}

/** The name of a channel that was heard. What another client has named in its own way stays as it is. */
export function fromWireChannel(wire: string): string {
  if (!wire.includes("%")) return wire;
  return wire.replace(escaped, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/**
 * A glob over channels as it travels, so that it matches the names that travel. A `?` is one byte, so it matches no
 * escaped character, and `*` alone matches the channels `.` and `..`.
 *
 * @throws TypeError or RangeError as `toWireChannel` does; also when a bracket set holds what would have to be escaped.
 */
export function toWirePattern(pattern: string): string {
  assertName("pattern", pattern);
  if (pattern === "." || pattern === "..") return pattern.replaceAll(".", "%2E");
  if (!isUnsafe.test(pattern)) return pattern;
  return pattern.replace(/\[(?:\\[\s\S]|[^\]\\])*\]?|\\[\s\S]|[\s\S]/g, (step) => {
    if (!isUnsafe.test(step)) return step;
    if (step.startsWith("[") && step.length > 1) {
      throw new RangeError(
        "Expected a bracket set of a pattern without comma, % and control characters, got one: write one " +
          "pattern for each of them",
      );
    }
    return escaping(step.slice(-1));
  });
}

const escaping = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

function assertName(kind: "channel" | "pattern", name: unknown): asserts name is string {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Expected a ${kind} to be a non-empty string, got ${name === "" ? '""' : typeof name}`);
  }
  if (!isWellFormed(name)) {
    throw new TypeError(
      `Expected a ${kind} of whole characters, got half a surrogate pair in ` +
        `${JSON.stringify(name.slice(0, 40))}: UTF-8 can't carry it`,
    );
  }
  // A UTF-16 unit is at most three bytes, escaped or not.
  if (name.length * 3 <= maxChannelBytes) return;
  const bytes = new TextEncoder().encode(name.replace(unsafe, escaping)).length;
  if (bytes > maxChannelBytes) {
    throw new RangeError(
      `Expected a ${kind} of at most ${maxChannelBytes} bytes, got ${bytes} bytes beginning with ` +
        `${JSON.stringify(name.slice(0, 40))}`,
    );
  }
}
