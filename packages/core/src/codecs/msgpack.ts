import { Decoder, Encoder, ExtensionCodec } from "@msgpack/msgpack";
import { CodecError } from "../errors/codec-error.ts";
import type { Codec } from "./codec.ts";
import { seal, unseal } from "./envelope.ts";
import { holdReplacement, holdsHalfCharacter } from "./half-characters.ts";

const name = "msgpack";
const letter = "m";

/** Deeper than this no honest value goes. */
const maxDepth = 100;

/**
 * MessagePack: Date, Map, Set, bigint, Uint8Array and the other typed arrays come back as themselves. Worth it where
 * numbers and bytes prevail: a Float32Array is about a third of its JSON; text and small objects gain little.
 * A whole number is stored as its decimal text, so that `increment` can go on from it.
 *
 * @example
 * ```ts
 * import { msgpack } from "@continuum-cache/core/msgpack";
 *
 * const codec = msgpack();
 * codec.decode(codec.encode({ at: new Date(0), vector: Float32Array.of(0.5, 0.25) }));
 * ```
 */
export function msgpack(): Codec {
  return { name, encode, decode };
}

function encode(value: unknown): string | Uint8Array {
  if (value === undefined) throw new CodecError(name, "Expected a value to store, got undefined");
  if (Number.isSafeInteger(value)) return String(value);
  const body = encodeBody(value, 0);
  // Long texts would come back changed; that is rare, so it is looked for only where it can have happened.
  if (holdReplacement(body) && holdsHalfCharacter(value)) {
    throw new CodecError(name, "The value holds half a surrogate pair in a text, which UTF-8 can't carry");
  }
  return seal(letter, body);
}

function decode(stored: string | Uint8Array): unknown {
  if (typeof stored === "string" && /^-?\d{1,16}$/.test(stored)) return Number(stored);
  const body = unseal(letter, stored);
  return body && decodeBody(body, 0);
}

function encodeBody(value: unknown, depth: number): Uint8Array {
  try {
    const options = { extensionCodec: extensions, context: depth, maxDepth: maxDepth - depth, ignoreUndefined: true };
    return new Encoder(options).encodeSharedRef(value).slice();
  } catch (error) {
    if (error instanceof CodecError) throw error;
    // The library's own message can quote the value.
    throw new CodecError(
      name,
      `The value holds what MessagePack can't (a function, a symbol, a circle, or more than ${maxDepth} levels)`,
    );
  }
}

function decodeBody(bytes: Uint8Array, depth: number): unknown {
  // No part can have more items than there are bytes: a hostile length reserves no memory.
  const limit = bytes.length;
  try {
    return new Decoder({
      extensionCodec: extensions,
      context: depth,
      maxArrayLength: limit,
      maxMapLength: limit,
      maxStrLength: limit,
      maxBinLength: limit,
      maxExtLength: limit,
    }).decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(name, `Expected MessagePack, got ${bytes.length} damaged bytes`);
  }
}

const deeper = (depth: number): number => {
  if (depth >= maxDepth) throw new CodecError(name, `The value has more than ${maxDepth} levels`);
  return depth + 1;
};

/** The typed arrays by the number that stands for them in the bytes. Never renumber: databases hold them. */
const typedArrays = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

const extensions = new ExtensionCodec<number>();

extensions.register({
  type: 1,
  encode: (value, depth) => (value instanceof Map ? encodeBody([...value].flat(1), deeper(depth)) : null),
  decode(bytes, _type, depth) {
    const flat = listIn(bytes, depth);
    return new Map(Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2], flat[index * 2 + 1]]));
  },
});
extensions.register({
  type: 2,
  encode: (value, depth) => (value instanceof Set ? encodeBody([...value], deeper(depth)) : null),
  decode: (bytes, _type, depth) => new Set(listIn(bytes, depth)),
});
extensions.register({
  type: 3,
  encode: (value) => (typeof value === "bigint" ? new TextEncoder().encode(value.toString(16)) : null),
  decode(bytes) {
    const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(new TextDecoder().decode(bytes)) ?? [];
    if (!digits) throw new CodecError(name, "Expected a bigint, got damaged bytes");
    return sign ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`);
  },
});
extensions.register({
  type: 4,
  encode(value) {
    const kind = typedArrays.findIndex((type) => value instanceof type);
    if (kind < 0) return null;
    const view = value as Float32Array;
    const bytes = new Uint8Array(view.byteLength + 1);
    bytes[0] = kind;
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 1);
    return bytes;
  },
  decode(bytes) {
    const type = typedArrays[bytes[0] as number];
    if (!type || (bytes.length - 1) % type.BYTES_PER_ELEMENT !== 0) {
      throw new CodecError(name, "Expected a typed array, got damaged bytes");
    }
    // A copy: a view would need an aligned offset, and would keep the whole answer alive.
    return new type(bytes.slice(1).buffer);
  },
});

function listIn(bytes: Uint8Array, depth: number): unknown[] {
  const list = decodeBody(bytes, deeper(depth));
  if (!Array.isArray(list)) throw new CodecError(name, "Expected a list inside a Map or Set, got something else");
  return list;
}
