import { Encoder, ExtData, encodeTimestampExtension } from "@msgpack/msgpack";
import { CodecError } from "../errors/codec-error.ts";
import { sealed } from "./envelope.ts";
import { maxDepth } from "./value-check.ts";

/** The types of extensions by the number that stands for them in the bytes. Never renumber: databases hold them. */
export const extensionTypes = { timestamp: -1, map: 1, set: 2, bigint: 3, typedArray: 4 } as const;

interface TypedArrayType {
  readonly prototype: ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

/** The typed arrays by the number that stands for them in the bytes. Never renumber: databases hold them. */
export const typedArrays: readonly TypedArrayType[] = [
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
];

const kinds: ReadonlyMap<unknown, number> = new Map(typedArrays.map((type, kind) => [type.prototype, kind]));

/** Which of the typed arrays an object is; `undefined` for all else, `Uint8Array` too, which MessagePack has a type for. */
export const kindOfTypedArray = (value: object): number | undefined => kinds.get(Object.getPrototypeOf(value));

/**
 * Writes a value that `assertHoldable` has accepted, in an envelope.
 *
 * @throws CodecError when it is too large, or changes while it is written.
 */
export function writeMsgpack(letter: string, value: unknown): Uint8Array {
  try {
    const kind = typeof value === "object" && value !== null ? kindOfTypedArray(value) : undefined;
    if (kind !== undefined) return typedArrayAlone(letter, value as Float32Array, kind);
    const bytes = encoded(value);
    const { stored, body } = sealed(letter, bytes.length);
    body.set(bytes);
    return stored;
  } catch (error) {
    if (error instanceof CodecError) throw error;
    // The library's own message can quote the value.
    throw new CodecError(
      "msgpack",
      "MessagePack can't hold the value: it is too large, or changed while it was written",
    );
  }
}

/** An encoder whose buffer has become larger than this is not kept. */
const mostKeptBytes = 64 << 10;

/** The encoders by the level at which they work: the first writes values, the second what is in their Maps and Sets, and so on. */
const encoders: (Encoder | undefined)[] = [];
let level = 0;

/** The bytes of a value; they are overwritten by the next value of the same level. */
function encoded(value: unknown): Uint8Array {
  const own = level++;
  // The value was checked, so its depth is bounded.
  const encoder =
    encoders[own] ?? new Encoder({ extensionCodec: extensions, maxDepth: 2 * maxDepth, ignoreUndefined: true });
  // It is put back when it has succeeded.
  encoders[own] = undefined;
  try {
    const bytes = encoder.encodeSharedRef(value);
    if (bytes.buffer.byteLength <= mostKeptBytes) encoders[own] = encoder;
    return bytes;
  } finally {
    level = own;
  }
}

const extensions = {
  /** Plain objects and arrays come first: they are what there is most of. */
  tryToEncode(value: unknown): ExtData | null {
    if (typeof value === "bigint") {
      return new ExtData(extensionTypes.bigint, new TextEncoder().encode(value.toString(16)));
    }
    if (Array.isArray(value) || typeof value !== "object" || value === null) return null;
    const prototype: unknown = Object.getPrototypeOf(value);
    switch (prototype) {
      case Object.prototype:
      case null:
        return null;
      case Date.prototype:
        return new ExtData(extensionTypes.timestamp, encodeTimestampExtension(value) as Uint8Array);
      case Map.prototype:
        return new ExtData(extensionTypes.map, encoded([...(value as Map<unknown, unknown>)].flat(1)));
      case Set.prototype:
        return new ExtData(extensionTypes.set, encoded([...(value as Set<unknown>)]));
      default: {
        const kind = kinds.get(prototype);
        return kind === undefined
          ? null
          : new ExtData(extensionTypes.typedArray, contentOfTypedArray(value as Float32Array, kind));
      }
    }
  },
  decode(): never {
    throw new TypeError("Expected to write only");
  },
};

const bytesOf = (array: Float32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function contentOfTypedArray(array: Float32Array, kind: number): Uint8Array {
  const content = new Uint8Array(array.byteLength + 1);
  content[0] = kind;
  content.set(bytesOf(array), 1);
  return content;
}

/** A typed array that is the whole value is copied once, to where it is stored. The head is the one that the library would write. */
function typedArrayAlone(letter: string, array: Float32Array, kind: number): Uint8Array {
  const length = array.byteLength + 1;
  const head = headOfExtension(length);
  const { stored, body } = sealed(letter, head.length + 1 + length);
  body.set(head);
  body[head.length] = extensionTypes.typedArray;
  body[head.length + 1] = kind;
  body.set(bytesOf(array), head.length + 2);
  return stored;
}

/** Heads of extensions whose length is among these hold no length. */
const fixedHeads: Readonly<Record<number, number>> = { 1: 0xd4, 2: 0xd5, 4: 0xd6, 8: 0xd7, 16: 0xd8 };

function headOfExtension(length: number): readonly number[] {
  const fixed = fixedHeads[length];
  if (fixed !== undefined) return [fixed];
  if (length < 2 ** 8) return [0xc7, length];
  if (length < 2 ** 16) return [0xc8, length >>> 8, length & 0xff];
  if (length < 2 ** 32) return [0xc9, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  throw new RangeError("Expected a typed array of less than 4 GiB");
}
