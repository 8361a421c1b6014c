import { CodecError } from "../errors/codec-error.ts";
import { assertOptions } from "../settings/options.ts";
import type { Codec, NoOptions } from "./codec.ts";
import { isTextForm } from "./envelope.ts";
import { assertHoldable, maxDepth, type ValueRules } from "./value-check.ts";

const name = "json";

/**
 * Plain JSON, readable by any other client. A value comes back as it was, or is rejected with its path: JSON can't
 * hold Date (store `date.toISOString()`), bigint, NaN, Infinity, Map, Set, bytes, Error, functions, holes,
 * `undefined` inside arrays, getters and instances of classes. Two things are let through: a field that is
 * `undefined` is left out, and -0 comes back as 0, which it equals.
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
  return { name, encode, decode, copy };
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
  if (typeof stored !== "string" || (stored[0] === "=" && isTextForm(stored))) return undefined;
  const inexact = mayBeDeep(stored) || mayBeInexact.test(stored) ? scanJson(stored) : undefined;
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

/** JSON brings plain objects, arrays without holes, and primitives. Nothing copies an object as fast as a spread. */
function copy(value: unknown): unknown {
  return isObject(value) ? copyOf(value) : value;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function copyOf(value: object): object {
  if (Array.isArray(value)) {
    const list: unknown[] = value.slice();
    for (let at = 0; at < list.length; at++) {
      const item = list[at];
      if (isObject(item)) list[at] = copyOf(item);
    }
    return list;
  }
  const fields: Record<string, unknown> = { ...value };
  for (const name in fields) {
    const field = fields[name];
    // A library may have given all objects a field.
    if (isObject(field) && Object.hasOwn(fields, name)) fields[name] = copyOf(field);
  }
  return fields;
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

const quote = 0x22;
const backslash = 0x5c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
const zero = 0x30;
const nine = 0x39;
const point = 0x2e;
const smallE = 0x65;
const bigE = 0x45;
const plus = 0x2b;
const minus = 0x2d;

/** A whole number below 2^53 has at most 16 digits. */
const exactDigits = 16;

/**
 * As many digits in a row as a whole number needs to be inexact, or an exponent that may lead to Infinity. It is
 * written for speed: V8 looks for one first character, and is slower with `\d{15}`.
 */
const mayBeInexact = /\d(?:\d\d\d\d\d\d\d\d\d\d\d\d\d\d\d|[eE]\+?\d\d\d)/;

/**
 * Whether JSON text may have more levels than a value may have: each begins with a bracket. Most texts have fewer
 * brackets.
 */
function mayBeDeep(text: string): boolean {
  let brackets = 0;
  for (const bracket of "[{") {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++brackets > maxDepth) return true;
    }
  }
  return false;
}

/**
 * Looks through JSON text before it is parsed, in one pass that takes no memory.
 *
 * @returns where the first number stands that JavaScript would round, or take for Infinity; `undefined` when there is
 *   none.
 * @throws CodecError when the text has more levels than a value may have.
 */
function scanJson(text: string): { readonly from: number; readonly to: number } | undefined {
  let depth = 0;
  let inexact: { readonly from: number; readonly to: number } | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === quote) {
      at = endOfText(text, at);
    } else if (char === openList || char === openObject) {
      if (++depth > maxDepth) throw new CodecError("json", `Expected JSON of at most ${maxDepth} levels, got more`);
    } else if (char === closeList || char === closeObject) {
      depth--;
    } else if (char >= zero && char <= nine) {
      const number = numberAt(text, at);
      if (!number.exact) inexact ??= { from: text.charCodeAt(at - 1) === minus ? at - 1 : at, to: number.end };
      at = number.end - 1;
    }
  }
  return inexact;
}

/** The place of the quotation mark that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}

function numberAt(text: string, start: number): { readonly end: number; readonly exact: boolean } {
  let end = start;
  let whole = true;
  let exponent = false;
  for (; end < text.length; end++) {
    const char = text.charCodeAt(end);
    if (char === point) whole = false;
    else if (char === smallE || char === bigE) exponent = true;
    else if ((char < zero || char > nine) && !(exponent && (char === plus || char === minus))) break;
  }
  if (exponent) return { end, exact: Number.isFinite(Number(text.slice(start, end))) };
  if (!whole || end - start < exactDigits) return { end, exact: true };
  const digits = text.slice(start, end);
  return { end, exact: String(Number(digits)) === digits };
}

/**
 * Several codecs as one: the first writes, all of them read, and JSON is always among them, so that a codec can be
 * changed on a live database without a flush. Text that none of them wrote is another client's, such as a name that
 * redis-cli or `@upstash/redis` has set: it is read as that text.
 *
 * @throws CodecError from `decode` when a codec that is not here wrote the value, or when it is damaged.
 */
export function combineCodecs(codecs: readonly Codec[]): Codec {
  const [writer = json()] = codecs;
  const all = codecs.some((codec) => codec.name === "json") ? codecs : [...codecs, json()];
  return {
    name: writer.name,
    encode: (value) => writer.encode(value),
    decode(stored) {
      for (const codec of all) {
        const value = codec.decode(stored);
        if (value !== undefined) return value;
      }
      if (typeof stored === "string" && !isTextForm(stored)) return stored;
      const written = all.map((codec) => codec.name).join(", ");
      throw new CodecError(
        writer.name,
        `None of the codecs here (${written}) wrote this value; add the one that did to \`codec\` (it takes a ` +
          "list: the first writes, all read)",
      );
    },
  };
}
