import { ConfigError, isCodecError, json } from "@continuum-cache/core";
import { compressed, inflated } from "@continuum-cache/core/compressed";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const text = "lattice ".repeat(1_000);

describe("the compressing codec", () => {
  it.each([json(), msgpack()])("gives back what $name wrote, smaller", (inner) => {
    const codec = compressed(inner);
    const stored = codec.encode({ text }) as Uint8Array;
    expect(stored).toBeInstanceOf(Uint8Array);
    expect(stored.length).toBeLessThan(text.length / 10);
    expect(codec.decode(stored)).toEqual({ text });
  });

  it("leaves alone what is small, and what does not shrink", () => {
    const codec = compressed(json(), { above: 100 });
    expect(codec.encode("x".repeat(90))).toBe(`"${"x".repeat(90)}"`);
    const noise = Array.from({ length: 200 }, (_, i) => ((i * 2_654_435_761) >>> 0).toString(36)).join("");
    const stored = codec.encode(noise);
    expect(codec.decode(stored)).toBe(noise);
  });

  it("reads what was stored before it was introduced", () => {
    expect(compressed(json()).decode('{"a":1}')).toEqual({ a: 1 });
  });

  it("gives any text back", () => {
    const codec = compressed(json(), { above: 0 });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(100), (part, times) => {
        const value = part.repeat(times);
        expect(codec.decode(codec.encode(value))).toBe(value);
      }),
      runs(),
    );
  });

  it("inflates nothing beyond its bound, whatever the bytes announce", () => {
    const bomb = compressed(json(), { maxInflatedBytes: 64 << 20 }).encode("x".repeat(10 << 20)) as Uint8Array;
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => compressed(json(), { maxInflatedBytes: 1 << 20 }).decode(bomb)).toThrow(
      /`maxInflatedBytes` is 1048576/,
    );
    // The announced length is a lie: 100 bytes instead of ten million.
    const lie = bomb.slice();
    new DataView(lie.buffer).setUint32(2, 100);
    expect(() => compressed(json()).decode(lie)).toThrow();
  });

  it("refuses damaged bytes with a CodecError, and nothing else", () => {
    const good = compressed(json()).encode({ text }) as Uint8Array;
    fc.assert(
      fc.property(fc.nat(good.length - 3), fc.nat(255), (at, byte) => {
        const bad = good.slice();
        bad[at + 2] = byte;
        try {
          compressed(json()).decode(bad);
        } catch (error) {
          expect(isCodecError(error)).toBe(true);
        }
      }),
      runs(),
    );
    expect(() => compressed(json()).decode(good.subarray(0, 4))).toThrow(/damaged/);
  });

  it("refuses options that can't be", () => {
    expect(() => compressed(json(), { above: -1 })).toThrow(
      /Expected `above` to be a whole number of at least 0, got -1/,
    );
    for (const options of [{ above: 1.5 }, { level: 10 }, { maxInflatedBytes: "1MB" }, { maxSize: 1 }]) {
      expect(() => compressed(json(), options as object)).toThrow(ConfigError);
    }
  });
});

describe("the codec that only inflates", () => {
  it.each([json(), msgpack()])("reads what $name has written, compressed or not, and writes as it does", (inner) => {
    const codec = inflated(inner);
    const value = { text };
    expect(codec.decode(compressed(inner).encode(value))).toEqual(value);
    expect(codec.decode(inner.encode(value))).toEqual(value);
    expect(codec.encode(value)).toEqual(inner.encode(value));
  });

  it("has the bound of the one that compresses, and refuses other options", () => {
    const stored = compressed(json()).encode({ text });
    expect(() => inflated(json(), { maxInflatedBytes: 1_000 }).decode(stored)).toThrow(/`maxInflatedBytes` is 1000/);
    expect(() => inflated(json(), { maxInflatedBytes: -1 })).toThrow(ConfigError);
    expect(() => inflated(json(), { above: 1 } as object)).toThrow(/has no option "above"/);
  });
});
