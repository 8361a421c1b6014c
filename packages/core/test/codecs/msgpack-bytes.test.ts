import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isCodecError } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
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

/** Compared at once: looking at a million bytes one by one takes seconds. */
function expectBytes(value: unknown): void {
  expect(Buffer.compare((codec.encode(value) as Uint8Array).subarray(2), byLibrary(value))).toBe(0);
}

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

/** Values that a codec rejects, and some like them that it does not, at any place. */
const { tree: odd } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: "binary", maxLength: 8 }), tie("tree"), { maxKeys: 4 }),
    fc.array(fc.tuple(tie("tree"), tie("tree")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie("tree"), { maxLength: 3 }).map((items) => new Set(items)),
  ),
  leaf: fc.constantFrom<unknown>(
    1,
    "",
    "\ud83d",
    "\udc08 at the start",
    `${"x".repeat(60)}\ud83d`,
    undefined,
    Symbol("s"),
    () => 1,
    new Date(Number.NaN),
    new Date(0),
    new (class Point {})(),
    Object.assign([1], { more: 1 }),
    Object.assign([1], { [Symbol("s")]: 1 }),
    Object.assign(new Map(), { more: 1 }),
    Object.assign(new Date(0), { more: 1 }),
    Object.defineProperty({ a: 1 }, "hidden", { value: () => 1, enumerable: false }),
    Object.defineProperty({ a: 1 }, Symbol("hidden"), { value: 1, enumerable: false }),
    Object.defineProperty({}, "a", { get: () => 1, enumerable: true }),
    Object.defineProperty({}, "a", { set: () => undefined, enumerable: true }),
    { [Symbol.toStringTag]: "Other" },
    { "\ud83d": undefined },
    JSON.parse('{"__proto__":1}'),
    Object.assign([], { 1: 1 }),
    new Array(2),
    Object.create({}),
    Object.create(null),
    new Proxy({ a: 1 }, {}),
    new DataView(new ArrayBuffer(1)),
    new ArrayBuffer(1),
    new Error("e"),
    /r/,
    new Number(1),
  ),
}));

function rejection(value: unknown): string | undefined {
  try {
    codec.encode(value);
    return undefined;
  } catch (error) {
    expect(isCodecError(error)).toBe(true);
    return String(error);
  }
}

/** What is stored, or that the value is rejected. */
const stored = (value: unknown): unknown => (rejection(value) === undefined ? codec.encode(value) : "rejected");

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
      runs(300),
    );
  });

  it("hold what the check accepts, and nothing else", () => {
    fc.assert(
      fc.property(odd, (value) => {
        const error = rejection(value);
        // The check found nothing, so the writer had no reason.
        if (error !== undefined) expect(error).not.toContain("changed while it was written");
        else expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
      runs(800),
    );
  });

  it.each([
    0, 1, 15, 16, 17, 31, 32, 39, 40, 41, 42, 85, 86, 255, 256, 683, 2_040, 2_041, 21_845, 21_846, 65_535, 65_536,
  ])("are those of the library for texts and names of %i characters", (length) => {
    for (const unit of ["x", "é", "猫", "🐈"]) {
      for (const before of ["", "x", "x".repeat(50)]) {
        const text = before + unit.repeat(Math.max(0, Math.floor((length - before.length) / unit.length)));
        for (const value of [text, [text, text], { [text]: text, after: 1 }, new Map([[text, [text]]])]) {
          expectBytes(value);
        }
      }
    }
  });

  it.each([0, 14, 15, 16, 17, 65_535, 65_536])("count %i fields without those that are undefined", (count) => {
    const fields = Array.from({ length: count }, (_, index) => [`field ${index}`, { index, none: undefined }]);
    const value = { none: undefined, ...Object.fromEntries(fields), last: undefined };
    expectBytes(value);
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

  /** Calls `onRead` whenever one of its fields is read. */
  const reading = (onRead: () => void, value: object = plain): object =>
    new Proxy(value, {
      getOwnPropertyDescriptor(target, field) {
        onRead();
        return Reflect.getOwnPropertyDescriptor(target, field);
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
      expect(() => codec.encode(value)).toThrow(/Reading the value failed/);
      expect(codec.encode(inner)).toEqual(expectedInner);
    }
  });

  it("is rejected when it is another one each time that it is read", () => {
    const list: unknown[] = [1, 2, 3];
    const growing = new Proxy(list, {
      get(target, field) {
        if (field === "1") target.push(4);
        return Reflect.get(target, field);
      },
    });
    const failingOnce = (fails = 1): object =>
      reading(() => {
        if (fails-- > 0) throw new Error("secret");
      });
    const vanishing: Record<string, unknown> = { ...plain };
    let reads = 0;
    const losing = reading(() => {
      // Listing its three fields reads each of them once.
      if (++reads === 4) delete vanishing.d;
    }, vanishing);
    expect(codec.decode(codec.encode(growing))).toEqual([1, 2, 3]);
    expect(() => codec.encode(failingOnce())).toThrow(/changed while it was written/);
    expect(() => codec.encode([losing])).toThrow(/changed while it was written/);
  });
});

describe("bytes in memory that is shared with other threads", () => {
  it.each([
    ["Uint8Array", Uint8Array],
    ["Float32Array", Float32Array],
  ])("are those of one moment when they become more meanwhile: %s", (_, type) => {
    const all = type.of(1, 2, 3);
    let length = all.BYTES_PER_ELEMENT;
    const growing = Object.defineProperty(type.of(1, 2, 3), "byteLength", {
      get() {
        length += all.BYTES_PER_ELEMENT;
        return Math.min(length, all.byteLength);
      },
    });
    expect(codec.decode(codec.encode([growing, "after"]))).toEqual([all.slice(0, 2), "after"]);
  });
});

describe("a large value with a circular reference", () => {
  const text = "x".repeat(100_000);
  /** A circle behind so many levels, and how often its text was looked at: twice each time that its fields are. */
  const circleBehind = (levels: number, close: (part: object) => unknown) => {
    const part: Record<string, unknown> = { text };
    let reads = 0;
    const counting = new Proxy(part, {
      getOwnPropertyDescriptor(target, field) {
        if (field === "text") reads++;
        return Reflect.getOwnPropertyDescriptor(target, field);
      },
    });
    part.self = close(counting);
    let value: unknown = counting;
    for (let level = 0; level < levels; level++) value = [value];
    return { value, reads: () => reads };
  };

  it.each([0, 1, 7, 8, 20, 90])("is rejected before its parts were written many times, behind %i levels", (levels) => {
    for (const close of [(part: object) => part, (part: object) => new Map([["key", [part]]])]) {
      const { value, reads } = circleBehind(levels, close);
      expect(() => codec.encode(value)).toThrow(/a circular reference/);
      expect(reads()).toBeLessThan(30);
    }
  });

  it("is told from one that has the same large part in many places and levels", () => {
    const part = { text };
    let value: object = { part };
    for (let level = 0; level < 90; level++) value = level % 10 === 0 ? { part, value, again: part } : { value };
    expectBytes(value);
  });
});
