import { isSealed, seal, toTextForm, unseal } from "../codecs/envelope.ts";

/** One line that says no more than what it is: no control character, and none of the marks of what is wrapped. */
const isPlain = /^(?![=~])[^\p{Cc}]*$/u;

/** The letters under which a codec's own writing is wrapped when it can't travel as it is. */
const text = "T";
const bytes = "B";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * What a codec has written, as the text of a message: one line of UTF-8, which every transport carries, server-sent
 * events too. JSON travels as it is, so any other client reads it; bytes travel as base64 behind a mark.
 *
 * @example
 * ```ts
 * import { fromMessageText, toMessageText } from "@continuum-cache/core/kit";
 *
 * toMessageText('{"type":"memory_updated"}'); // the same
 * fromMessageText(toMessageText("two\nlines")); // "two\nlines"
 * ```
 */
export function toMessageText(encoded: string | Uint8Array): string {
  if (typeof encoded === "string")
    return isPlain.test(encoded) ? encoded : toTextForm(seal(text, encoder.encode(encoded)));
  return toTextForm(isSealed(encoded) ? encoded : seal(bytes, encoded));
}

/** What the codec had written. What came from another client comes back as it was heard. */
export function fromMessageText(heard: string | Uint8Array): string | Uint8Array {
  if (typeof heard !== "string" || !heard.startsWith("=")) return heard;
  const written = unseal(text, heard);
  if (written) return decoder.decode(written);
  return unseal(bytes, heard) ?? heard;
}
