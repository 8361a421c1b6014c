import { CodecError } from "../errors/codec-error.ts";
import type { Codec } from "./codec.ts";

const name = "json";

/**
 * Plain JSON, readable by any other client. What JSON can't hold (bigint, NaN, Infinity, Map, Set, typed arrays,
 * circles) is refused with its path instead of being changed silently; a Date becomes its ISO text, as JSON has it.
 *
 * @example
 * ```ts
 * import { json } from "@continuum-cache/core";
 *
 * const codec = json();
 * codec.decode(codec.encode({ hello: "world" })); // { hello: "world" }
 * ```
 */
export function json(): Codec {
  return { name, encode, decode };
}

function encode(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw refusal(value) ?? new CodecError(name, "A toJSON method of the value failed", { cause });
  }
  // Everything that JSON changes silently leaves one of these in the text, so most values need no second look.
  if (text === undefined || suspicious.test(text)) {
    const refused = refusal(value);
    if (refused) throw refused;
  }
  return text as string;
}

/** `null` may have been NaN; `{}` a Map or a Set; `{"0":` a typed array. */
const suspicious = /null|\{\}|\{"0":/;

function decode(stored: string | Uint8Array): unknown {
  // A sealed value, or its text form: another codec's writing.
  if (typeof stored !== "string" || stored[0] === "=") return undefined;
  try {
    return JSON.parse(stored);
  } catch {
    // The parser's own message would quote the stored text.
    throw new CodecError(name, `Expected JSON, got ${stored.length} characters of other text`);
  }
}

function refusal(value: unknown): CodecError | undefined {
  const found = findUnsupported(value, "$", new Set());
  return found
    ? new CodecError(name, `JSON can't hold ${found.what} (at ${found.path}); convert it, or use the msgpack codec`)
    : undefined;
}

function findUnsupported(
  value: unknown,
  path: string,
  ancestors: Set<object>,
): { path: string; what: string } | undefined {
  const what = unsupported(value, ancestors) ?? (path === "$" ? unsupportedAtTop(value) : undefined);
  if (what) return { path, what };
  if (typeof value !== "object" || value === null || "toJSON" in value) return undefined;
  ancestors.add(value);
  for (const [key, item] of Object.entries(value)) {
    const found = findUnsupported(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, ancestors);
    if (found) return found;
  }
  ancestors.delete(value);
  return undefined;
}

function unsupported(value: unknown, ancestors: Set<object>): string | undefined {
  if (typeof value === "bigint") return "a bigint";
  if (typeof value === "number") return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== "object" || value === null) return undefined;
  if (ancestors.has(value)) return "a circular reference";
  if (value instanceof Map) return "a Map";
  if (value instanceof Set) return "a Set";
  if (value instanceof Date && Number.isNaN(value.getTime())) return "an invalid Date";
  return ArrayBuffer.isView(value) ? "binary data" : undefined;
}

/** Inside an object JSON leaves these out, as everybody expects; alone there is nothing to store. */
function unsupportedAtTop(value: unknown): string | undefined {
  return value === undefined || typeof value === "function" || typeof value === "symbol" ? typeof value : undefined;
}
