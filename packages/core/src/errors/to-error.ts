/** The most that is kept of why something failed, in characters. */
const maxTextLength = 500;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What was thrown, as an error, whatever it was.
 *
 * @example
 * ```ts
 * import { toError } from "@continuum-cache/core/kit";
 *
 * toError("just words").message; // "just words"
 * ```
 */
export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(messageOf(thrown)));

/**
 * What was thrown, in words: at most 500 characters, whole ones. An object's own way to say it may fail, too.
 *
 * @example
 * ```ts
 * import { messageOf } from "@continuum-cache/core/kit";
 *
 * messageOf(new Error("no luck")); // "no luck"
 * ```
 */
export function messageOf(thrown: unknown): string {
  try {
    const words: unknown = thrown instanceof Error ? thrown.message : thrown;
    // Cut before it is encoded: half a character at the end becomes the replacement character.
    return decoder.decode(encoder.encode(String(words).slice(0, maxTextLength)));
  } catch {
    return `Something was thrown that can't be put in words (${typeof thrown})`;
  }
}
