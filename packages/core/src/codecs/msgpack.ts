import { Decoder, decodeTimestampExtension } from "@msgpack/msgpack";
import { CodecError } from "../errors/codec-error.ts";
import { assertOptions } from "../settings/options.ts";
import type { Codec, NoOptions } from "./codec.ts";
import { unseal } from "./envelope.ts";
import { assertMsgpackHolds } from "./msgpack-rules.ts";
import { scanMsgpack } from "./msgpack-scan.ts";
import { extensionTypes, typedArrays } from "./msgpack-types.ts";
import { writeMsgpack } from "./msgpack-writer.ts";

const name = "msgpack";
const letter = "m";

/**
 * MessagePack: Date, Map, Set, bigint, Uint8Array and the other typed arrays come back as themselves (a Buffer as the
 * Uint8Array of its bytes); what would not is rejected with its path. One thing is lost: a property of a typed
 * array's own, beside its elements. Worth it where numbers and bytes prevail: a Float32Array is about a third of its
 * JSON; text and small objects gain little. A whole number is stored as its decimal text, so that `increment` can go
 * on from it.
 *
 * @throws ConfigError when it is given options: it has none.
 *
 * @example
 * ```ts
 * import { msgpack } from "@continuum-cache/core/msgpack";
 *
 * const codec = msgpack();
 * codec.decode(codec.encode({ at: new Date(0), vector: Float32Array.of(0.5, 0.25) }));
 * ```
 */
export function msgpack(options: NoOptions = {}): Codec {
  assertOptions("msgpack", options, {});
  return { name, encode, decode };
}

function encode(value: unknown): string | Uint8Array {
  if (Number.isSafeInteger(value)) return String(value);
  const stored = writeMsgpack(letter, value);
  if (stored) return stored;
  assertMsgpackHolds(value);
  throw new CodecError(name, "MessagePack can't hold the value: it is too large, or changed while it was written");
}

function decode(stored: string | Uint8Array): unknown {
  if (typeof stored === "string" && /^-?\d{1,16}$/.test(stored)) return wholeNumber(stored);
  const body = unseal(letter, stored);
  if (!body) return undefined;
  const hasBytes = scanMsgpack(body, contentOf);
  const value = decodeBody(body);
  return hasBytes ? withOwnBytes(value) : value;
}

/** What is no number of ours, such as "007", is another client's text. */
function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && String(number) === text ? number : undefined;
}

function decodeBody(bytes: Uint8Array): unknown {
  try {
    return new Decoder({ extensionCodec: extensions }).decode(bytes);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError(name, `Expected MessagePack, got ${bytes.length} damaged bytes`);
  }
}

/** Gives each part that is bytes a buffer of its own, as it had when it was stored. */
function withOwnBytes(part: unknown): unknown {
  if (typeof part !== "object" || part === null) return part;
  if (part instanceof Uint8Array) return new Uint8Array(part);
  if (Array.isArray(part)) return part.map(withOwnBytes);
  if (part instanceof Map) return new Map([...part].map(([key, item]) => [withOwnBytes(key), withOwnBytes(item)]));
  if (part instanceof Set) return new Set([...part].map(withOwnBytes));
  if (Object.getPrototypeOf(part) !== Object.prototype) return part;
  return Object.fromEntries(Object.entries(part).map(([field, item]) => [field, withOwnBytes(item)]));
}

const contentOf = (type: number): "list" | "leaf" | undefined => {
  if (type === extensionTypes.map || type === extensionTypes.set) return "list";
  return Object.values<number>(extensionTypes).includes(type) ? "leaf" : undefined;
};

const extensions = {
  /** The writer has its own. */
  tryToEncode: () => null,
  decode(bytes: Uint8Array, type: number): unknown {
    switch (type) {
      case extensionTypes.timestamp:
        return decodeTimestampExtension(bytes);
      case extensionTypes.map:
        return mapIn(bytes);
      case extensionTypes.set:
        return new Set(listIn(bytes));
      case extensionTypes.bigint:
        return bigintIn(bytes);
      default:
        // The scan has let no other type through.
        return typedArrayIn(bytes);
    }
  },
};

function mapIn(bytes: Uint8Array): Map<unknown, unknown> {
  const flat = listIn(bytes);
  if (flat.length % 2 !== 0) throw new CodecError(name, "Expected a Map, got damaged bytes");
  return new Map(Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2], flat[index * 2 + 1]]));
}

function bigintIn(bytes: Uint8Array): bigint {
  const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(new TextDecoder().decode(bytes)) ?? [];
  if (!digits) throw new CodecError(name, "Expected a bigint, got damaged bytes");
  return sign ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`);
}

function typedArrayIn(bytes: Uint8Array): unknown {
  const type = typedArrays[bytes[0] as number];
  if (!type || (bytes.length - 1) % type.BYTES_PER_ELEMENT !== 0) {
    throw new CodecError(name, "Expected a typed array, got damaged bytes");
  }
  // A copy: a view would need an aligned offset. (`slice` of a Buffer would be a view of the whole pool.)
  return new type(new Uint8Array(bytes.subarray(1)).buffer);
}

function listIn(bytes: Uint8Array): unknown[] {
  const list = decodeBody(bytes);
  if (!Array.isArray(list)) throw new CodecError(name, "Expected a list inside a Map or Set, got something else");
  return list;
}
