import { quoted } from "../errors/quoted.ts";
import { isWellFormed } from "../text/text.ts";

/** The longest key, in bytes of UTF-8: Upstash refuses longer ones, so every backend here does. */
export const maxKeyBytes = 32_768;

const encoder = new TextEncoder();

/**
 * Checks a key before anything is sent.
 *
 * @throws TypeError when it is not a non-empty, well-formed string.
 * @throws RangeError when it is longer than `maxKeyBytes`.
 *
 * @example
 * ```ts
 * import { assertKey } from "@continuum-cache/core/kit";
 *
 * const lengthCommand = (key: unknown) => {
 *   assertKey(key);
 *   return ["STRLEN", key] as const;
 * };
 * ```
 */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key !== "string" || key === "") {
    throw new TypeError(`Expected a key to be a non-empty string, got ${quoted(key)}`);
  }
  if (!isWellFormed(key)) {
    throw new TypeError(
      `Expected a key of whole characters, got half a surrogate pair in ${quoted(key)}: UTF-8 can't carry it, ` +
        "and all such keys would be one",
    );
  }
  // A UTF-16 unit is at most three bytes, so short keys, which are nearly all, need no encoding to be measured.
  if (key.length * 3 <= maxKeyBytes) return;
  const bytes = encoder.encode(key).length;
  if (bytes > maxKeyBytes) {
    throw new RangeError(
      `Expected a key of at most ${maxKeyBytes} bytes, got ${bytes} bytes beginning with ` +
        `${JSON.stringify(key.slice(0, 40))}; hash the long part (keys.query.of does)`,
    );
  }
}
