/**
 * What came, for an error: a text's beginning, a number, or the kind of thing, never an object's content.
 *
 * @example
 * ```ts
 * import { quoted } from "@continuum-cache/core/kit";
 *
 * quoted("abc"); // '"abc"'
 * quoted({ secret: 1 }); // "an object"
 * ```
 */
export function quoted(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(redact(value).slice(0, 40));
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "function") return "a function";
  return `${String(value)} (${typeof value})`;
}

/**
 * Cuts what Redis repeats of the caller's arguments out of its error texts ("…with args beginning with: 'secret'"),
 * so that a stored value never reaches a log through an error.
 */
export function redact(text: string): string {
  return text
    .replace(/,? with args beginning with:[\s\S]*$/, "")
    .replace(/, command was:[\s\S]*$/, "")
    .replace(/\bBearer\s+\S+/gi, "Bearer …")
    .replace(/([?&]_token=)[^&\s]+/g, "$1…")
    .replace(/(rediss?:\/\/)[^/\s]*@/gi, "$1…@")
    .slice(0, 500);
}
