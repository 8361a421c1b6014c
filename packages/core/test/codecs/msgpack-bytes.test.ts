import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isCodecError } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { Encoder, ExtensionCodec } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storedValues } from "./stored-values.ts";

const codec = msgpack();

/** Written before the codec kept its encoders: never write it anew, databases hold such bytes. */
const expected = JSON.parse(readFileSync(new URL("./stored-values.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;

/** The format in a few lines: each of our types registered with the library, and a new encoder for each value. */
const extensions = new ExtensionCodec();
const byLibrary = (value: unknown): Uint8Array =>
  new Encoder({ extensionCodec: extensions, maxDepth: 200, ignoreUndefined: true }).encode(value);
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
];
const decode = () => null;
extensions.register({ type: 1, decode, encode: (map) => (map instanceof Map ? byLibrary([...map].flat(1)) : null) });
extensions.register({ type: 2, decode, encode: (set) => (set instanceof Set ? byLibrary([...set]) : null) });
extensions.register({
  type: 3,
  decode,
  encode: (big) => (typeof big === "bigint" ? new TextEncoder().encode(big.toString(16)) : null),
});
extensions.register({
  type: 4,
  decode,
  encode(value) {
    const kind = typedArrays.findIndex((type) => value instanceof type);
    if (kind < 0) return null;
    const { buffer, byteOffset, byteLength } = value as Float32Array;
    return Uint8Array.of(kind, ...new Uint8Array(buffer, byteOffset, byteLength));
  },
});

const anything = fc.anything({
  maxDepth: 4,
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withUnicodeString: true,
} as fc.ObjectConstraints);

/** What is stored, or that the value is rejected. */
function stored(value: unknown): unknown {
  try {
    return codec.encode(value);
  } catch (error) {
    expect(isCodecError(error)).toBe(true);
    return "rejected";
  }
}

describe("the bytes of the MessagePack codec", () => {
  it.each(Object.entries(storedValues))("are what databases hold: %s", (name, value) => {
    const bytes = codec.encode(value);
    const short = (): string => Buffer.from(bytes as Uint8Array).toString("hex");
    const long = (): string => `${bytes.length} bytes, sha1 ${createHash("sha1").update(bytes).digest("hex")}`;
    const found = typeof bytes === "string" ? bytes : bytes.length <= 200 ? short() : long();
    expect(found).toBe(expected[name]);
  });

  it("are those of the library for any value, however the values before were", () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), (values) => {
        for (const value of values) {
          const found = stored(value);
          if (found instanceof Uint8Array) expect(found.subarray(2)).toEqual(byLibrary(value));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("stay as they are when more is encoded", () => {
    const first = codec.encode({ a: new Map([["b", "first"]]) }) as Uint8Array;
    const before = first.slice();
    codec.encode({ c: new Map([["d", "second"]]) });
    expect(first).toEqual(before);
    expect(first.buffer.byteLength).toBe(first.length);
  });
});

describe("a value that encodes another while it is encoded", () => {
  const inner = new Map([["inner", { text: "x".repeat(5_000), vector: Float32Array.of(1, 2) }]]);
  const expectedInner = codec.encode(inner);
  const plain = { a: 1, b: new Map([["c", [1, 2, 3]]]), d: "end" };

  /** Its fields call `onRead` when they are read, as the library does it; the check before reads descriptors. */
  const reading = (onRead: () => void, value: object = plain): object =>
    new Proxy(value, {
      get(target, field) {
        if (field !== Symbol.toStringTag) onRead();
        return Reflect.get(target, field);
      },
    });

  it("changes neither", () => {
    let reads = 0;
    const value = reading(() => {
      reads++;
      expect(codec.encode(inner)).toEqual(expectedInner);
    });
    expect(codec.encode(value)).toEqual(codec.encode(plain));
    const nested = new Map([["outer", new Set([value, [value]])]]);
    expect(codec.encode(nested)).toEqual(codec.encode(new Map([["outer", new Set([plain, [plain]])]])));
    expect(reads).toBeGreaterThan(3);
  });

  it("changes nothing afterwards when it fails", () => {
    const failing = reading(() => {
      throw new Error("secret");
    });
    for (const value of [failing, new Map([["k", failing]]), [{ a: new Set([failing]) }]]) {
      expect(() => codec.encode(value)).toThrow(/changed while it was written/);
      expect(codec.encode(inner)).toEqual(expectedInner);
    }
  });
});
