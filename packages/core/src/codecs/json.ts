import { CodecError } from "../errors/codec-error.ts";
import { assertOptions } from "../settings/options.ts";
import type { Codec, NoOptions } from "./codec.ts";
import { isTextForm } from "./envelope.ts";
import { scanJson } from "./json-scan.ts";
import { assertHoldable, type ValueRules } from "./value-check.ts";

const name = "json";

/**
 * Plain JSON, readable by any other client. A value comes back as it was, or is rejected with its path: JSON can't hold
 * Date (store `date.toISOString()`), bigint, NaN, Infinity, Map, Set, bytes, Error, functions, holes, `undefined` inside
 * arrays, getters and instances of classes. Two things are let through: a field that is `undefined` is left out, and -0
 * comes back as 0, which it equals.
 *
 * @throws ConfigError when it is given options: it has none.
 *
 * @example
 * ```ts
 * import { json } from "@continuum-cache/core";
 *
 * const codec = json();
 * codec.decode(codec.encode({ hello: "world" })); // { hello: "world" }
 * ```
 */
export function json(options: NoOptions = {}): Codec {
  assertOptions("json", options, {});
  return { name, encode, decode };
}

const rules: ValueRules = {
  codec: name,
  format: "JSON",
  refuse(primitive) {
    if (typeof primitive === "bigint") return "a bigint";
    return typeof primitive === "number" && !Number.isFinite(primitive) ? String(primitive) : undefined;
  },
  partsOf: () => undefined,
  advice(value) {
    if (value instanceof Date) return "store its toISOString(), or use the msgpack codec";
    const byMsgpack =
      typeof value === "number" || typeof value === "bigint" || value instanceof Map || value instanceof Set;
    return byMsgpack || ArrayBuffer.isView(value) ? "convert it, or use the msgpack codec" : "convert it to plain data";
  },
};

function encode(value: unknown): string {
  assertHoldable(value, rules);
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new CodecError(name, "JSON can't hold the value: as one text it would be too long", { cause });
  }
}

function decode(stored: string | Uint8Array): unknown {
  // A sealed value, or its text form: another codec's writing.
  if (typeof stored !== "string" || isTextForm(stored)) return undefined;
  const inexact = scanJson(stored);
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    // Damaged JSON still shows its marks. Text without any is another client's, such as a name that redis-cli has set.
    if (!/[[\]{}"]/.test(stored)) return undefined;
    // The parser's own message would quote the stored text.
    throw new CodecError(name, `Expected JSON, got ${stored.length} characters of other text`);
  }
  if (!inexact) return value;
  // A number alone, such as an id that another client has set: its text is exact.
  if (typeof value === "number") return undefined;
  throw inexactError(stored, inexact);
}

/** Names the path of a number: where a text stands that takes its place. */
function inexactError(stored: string, { from, to }: { readonly from: number; readonly to: number }): CodecError {
  const mark = "\0number";
  try {
    assertHoldable(JSON.parse(`${stored.slice(0, from)}${JSON.stringify(mark)}${stored.slice(to)}`), {
      ...rules,
      refuse: (primitive) => (primitive === mark ? "a number of so many digits exactly" : undefined),
      advice: () => "the client that wrote it has to write it as text",
    });
  } catch (error) {
    return error as CodecError;
  }
  return new CodecError(name, "JSON can't hold a number of so many digits exactly");
}
