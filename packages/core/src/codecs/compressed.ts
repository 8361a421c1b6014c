import { deflate, inflate } from "#deflate";
import { CodecError } from "../errors/codec-error.ts";
import { assertOptions, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { textOrBytes } from "../text/text.ts";
import type { Codec } from "./codec.ts";
import type { DeflateLevel } from "./deflate/deflate.ts";
import { sealed, unseal } from "./envelope.ts";

const name = "compressed";
const letter = "z";

/** When to compress, and how much may come out again. */
export interface CompressedOptions {
  /** Only what is larger than this is compressed, in bytes. @default 1024 */
  readonly above?: number;
  /** Deflate level, 1 (fast) to 9 (small). @default 1 */
  readonly level?: DeflateLevel;
  /** The most that may come out of one value, in bytes; more is refused, before any memory is taken. @default 16 MiB */
  readonly maxInflatedBytes?: number;
}

const knownOptions: KnownOptions<CompressedOptions> = { above: true, level: true, maxInflatedBytes: true };

/** How much may come out of a value. */
export type InflatedOptions = Pick<CompressedOptions, "maxInflatedBytes">;

const knownInflatedOptions: KnownOptions<InflatedOptions> = { maxInflatedBytes: true };

/**
 * Deflates what another codec wrote when it is large enough to be worth it. What does not shrink is stored as it was.
 *
 * @throws ConfigError when an option is unknown or out of its range.
 *
 * @example
 * ```ts
 * import { json } from "@continuum-cache/core";
 * import { compressed } from "@continuum-cache/core/compressed";
 *
 * const codec = compressed(json(), { above: 1024 });
 * codec.decode(codec.encode("lattice ".repeat(1000)));
 * ```
 */
export function compressed(inner: Codec, options: CompressedOptions = {}): Codec {
  assertOptions("compressed", options, knownOptions);
  const above = wholeNumberOption("above", options.above ?? 1024, { min: 0 });
  const level = wholeNumberOption("level", options.level ?? 1, { max: 9 }) as DeflateLevel;
  const maxInflatedBytes = maxInflatedBytesOf(options);
  return {
    ...reading(inner, maxInflatedBytes),
    encode(value) {
      const plain = inner.encode(value);
      const bytes = typeof plain === "string" ? new TextEncoder().encode(plain) : plain;
      if (bytes.length <= above || bytes.length > maxInflatedBytes) return plain;
      const packed = pack(bytes, level);
      return packed.length < bytes.length ? packed : plain;
    },
  };
}

/**
 * Reads what `compressed` has written with the same codec, and writes as that codec does: for bundles that only read
 * compressed values, which then hold no code that compresses.
 *
 * @throws ConfigError when an option is unknown or out of its range.
 *
 * @example
 * ```ts
 * import { json } from "@continuum-cache/core";
 * import { compressed, inflated } from "@continuum-cache/core/compressed";
 *
 * const written = compressed(json()).encode("lattice ".repeat(1000));
 * inflated(json()).decode(written);
 * ```
 */
export function inflated(inner: Codec, options: InflatedOptions = {}): Codec {
  assertOptions("inflated", options, knownInflatedOptions);
  return { ...reading(inner, maxInflatedBytesOf(options)), encode: (value) => inner.encode(value) };
}

const maxInflatedBytesOf = ({ maxInflatedBytes = 16 << 20 }: InflatedOptions): number =>
  wholeNumberOption("maxInflatedBytes", maxInflatedBytes, { min: 0 });

const reading = (inner: Codec, maxInflatedBytes: number): Pick<Codec, "name" | "decode"> => ({
  name: `${name}(${inner.name})`,
  decode(stored) {
    const body = unseal(letter, stored);
    return inner.decode(body ? textOrOwnBytes(unpack(body, maxInflatedBytes)) : stored);
  },
});

/** What the inner codec has written. Bytes have memory of their own: those of Node's zlib may lie in a pool. */
function textOrOwnBytes(inflated: Uint8Array): string | Uint8Array {
  const text = textOrBytes(inflated);
  return typeof text === "string" ? text : new Uint8Array(text);
}

/** Four bytes of the length before, then the deflated bytes. */
function pack(bytes: Uint8Array, level: DeflateLevel): Uint8Array {
  const deflated = deflate(bytes, level);
  const { stored, body } = sealed(letter, deflated.length + 4);
  new DataView(body.buffer, body.byteOffset).setUint32(0, bytes.length);
  body.set(deflated, 4);
  return stored;
}

/** How many bytes one deflated byte can stand for at most. */
const bestRatio = 1_032;

function unpack(body: Uint8Array, maxInflatedBytes: number): Uint8Array {
  if (body.length < 4) throw new CodecError(name, "Expected a compressed value, got damaged bytes");
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0);
  if (length > maxInflatedBytes) {
    throw new CodecError(
      name,
      `The value would inflate to ${length} bytes; \`maxInflatedBytes\` is ${maxInflatedBytes}`,
    );
  }
  // Nothing shrinks further than this, so a small value that announces a large one reserves no memory.
  if (length > (body.length - 4) * bestRatio)
    throw new CodecError(name, "Expected a compressed value, got damaged bytes");
  let bytes: Uint8Array;
  try {
    bytes = inflate(body.subarray(4), length);
  } catch (cause) {
    throw new CodecError(name, "Expected a compressed value, got damaged bytes", { cause });
  }
  if (bytes.length !== length) throw new CodecError(name, "The compressed value is cut short");
  return bytes;
}
