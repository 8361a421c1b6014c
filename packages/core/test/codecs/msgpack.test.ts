import { isCodecError } from "@continuum-cache/core";
import { toTextForm } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const codec = msgpack();
const back = (value: unknown) => codec.decode(codec.encode(value));

describe("the MessagePack codec", () => {
  it.each<[string, unknown]>([
    ["a Date", new Date(1_700_000_000_123)],
    ["a Date before 1970", new Date(-1)],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [2, new Map([[3, 4]])],
      ]),
    ],
    ["a Set", new Set([1, "2", { three: 3 }])],
    ["a bigint", 2n ** 100n],
    ["a negative bigint", -(2n ** 70n)],
    ["bytes", Uint8Array.of(0, 0xc1, 0xff)],
    ["a Float32Array", Float32Array.of(0.1, -1, Number.NaN)],
    ["a Float64Array", Float64Array.of(Math.PI)],
    ["an Int8Array", Int8Array.of(-1, 1)],
    ["a Uint8ClampedArray", Uint8ClampedArray.of(1, 255)],
    ["an Int16Array", Int16Array.of(-300)],
    ["a Uint16Array", Uint16Array.of(60_000)],
    ["an Int32Array", Int32Array.of(-70_000)],
    ["a Uint32Array", Uint32Array.of(4_000_000_000)],
    ["a BigInt64Array", BigInt64Array.of(-5n)],
    ["a BigUint64Array", BigUint64Array.of(2n ** 63n)],
    ["NaN", Number.NaN],
    ["Infinity", [Number.POSITIVE_INFINITY]],
    ["null", null],
    ["the string 123", "123"],
    ["nested", { at: new Date(0), tags: new Set(["x"]), vector: Float32Array.of(1), big: [1n] }],
  ])("gives %s back as itself", (_, value) => {
    expect(back(value)).toEqual(value);
    expect((back(value) as object | null)?.constructor).toBe((value as object | null)?.constructor);
  });

  it("gives any JSON-like value back", () => {
    fc.assert(
      fc.property(
        fc.anything({
          maxDepth: 4,
          values: [
            fc.string({ unit: "grapheme" }),
            fc.integer(),
            // MessagePack has no -0 among its whole numbers.
            fc.double({ noNaN: true }).map((x) => x + 0),
            fc.boolean(),
            fc.constant(null),
          ],
        }),
        (value) => {
          fc.pre(value !== undefined && !JSON.stringify(value)?.includes("__proto__"));
          expect(back(value)).toEqual(value);
        },
      ),
      runs(),
    );
  });

  it("leaves a whole number readable as text, so that INCR can go on from it", () => {
    expect(codec.encode(41)).toBe("41");
  });

  it("reads the text form that travels where bytes can't", () => {
    const stored = codec.encode({ a: Float32Array.of(1) }) as Uint8Array;
    expect(codec.decode(toTextForm(stored))).toEqual({ a: Float32Array.of(1) });
    const large = codec.encode("x".repeat(200_000)) as Uint8Array;
    expect(codec.decode(toTextForm(large))).toBe("x".repeat(200_000));
  });

  it("stores an embedding as Float32Array in about a third of its JSON", () => {
    const embedding = Float32Array.from({ length: 1_536 }, (_, i) => Math.fround(Math.sin(i)));
    const asJson = JSON.stringify([...embedding].map((x) => Number(x.toPrecision(8)))).length;
    expect((codec.encode(embedding) as Uint8Array).length / asJson).toBeLessThan(0.4);
  });

  it.each<[string, unknown]>([
    ["a function", { f: () => 1 }],
    ["a symbol", { s: Symbol("secret") }],
    ["undefined", undefined],
    ["101 levels", Array.from({ length: 101 }).reduce((inner) => [inner], 1)],
    ["200 nested Maps", Array.from({ length: 200 }).reduce((inner) => new Map([[1, inner]]), 1)],
  ])("refuses %s with a CodecError", (_, value) => {
    try {
      codec.encode(value);
      expect.unreachable();
    } catch (error) {
      expect(isCodecError(error)).toBe(true);
      expect(String(error)).not.toContain("secret");
    }
  });

  it("refuses hostile bytes with a CodecError, and nothing else, in bounded memory", () => {
    const sealed = (body: number[]) => Uint8Array.of(0xc1, 0x6d, ...body);
    // An array of 2^32-1, a map of 2^32-1, a string of 2^32-1, an extension of 2^32-1, nothing.
    for (const body of [
      [0xdd, 255, 255, 255, 255],
      [0xdf, 255, 255, 255, 255],
      [0xdb, 255, 255, 255, 255],
      [0xc9, 255, 255, 255, 255, 1],
      [],
    ]) {
      expect(() => codec.decode(sealed(body))).toThrow(/Expected MessagePack|damaged/);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        try {
          codec.decode(sealed([...body]));
        } catch (error) {
          expect(isCodecError(error)).toBe(true);
        }
      }),
      runs(2_000),
    );
  });

  it("lets no stored key reach Object.prototype", () => {
    // { "__proto__": { "polluted": true } }
    const bytes = Uint8Array.of(
      0xc1,
      0x6d,
      0x81,
      0xa9,
      ...new TextEncoder().encode("__proto__"),
      0x81,
      0xa8,
      ...new TextEncoder().encode("polluted"),
      0xc3,
    );
    expect(() => codec.decode(bytes)).toThrow();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
