import { isCodecError, json } from "@continuum-cache/core";
import { combineCodecs } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const codec = json();

describe("the JSON codec", () => {
  it("stores plain JSON and gives back what was stored", () => {
    expect(codec.encode({ hello: "world" })).toBe('{"hello":"world"}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      runs(),
    );
  });

  it.each(["123", "true", "null", "=abc", ""])("gives the string %j back as a string", (text) => {
    expect(codec.decode(codec.encode(text))).toBe(text);
  });

  it("keeps null a value", () => {
    expect(codec.decode(codec.encode(null))).toBeNull();
  });

  const circular: { self?: unknown } = {};
  circular.self = { circular };
  it.each<[string, unknown, string]>([
    ["NaN", { a: [1, Number.NaN] }, "NaN (at $.a[1])"],
    ["Infinity", Number.POSITIVE_INFINITY, "Infinity (at $)"],
    ["a bigint", { a: { b: 1n } }, "a bigint (at $.a.b)"],
    ["a circle", circular, "a circular reference"],
    ["a Map", { m: new Map() }, "a Map (at $.m)"],
    ["a Set", new Set([1]), "a Set (at $)"],
    ["bytes", { b: new Uint8Array(2) }, "binary data (at $.b)"],
    ["an invalid Date", { d: new Date(Number.NaN) }, "an invalid Date (at $.d)"],
    ["undefined", undefined, "undefined (at $)"],
    ["a function", () => 1, "function (at $)"],
  ])("refuses %s, with its path", (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(message);
  });

  it("refuses damaged text without quoting it", () => {
    expect(() => codec.decode("secret{")).toThrow(/^Expected JSON, got 7 characters of other text$/);
  });

  it("leaves another codec's writing to that codec", () => {
    expect(codec.decode(msgpack().encode({ a: 1 }))).toBeUndefined();
    expect(combineCodecs([codec, msgpack()]).decode(msgpack().encode({ a: 1 }))).toEqual({ a: 1 });
  });

  it("says which codec is missing when no codec can read a value", () => {
    try {
      combineCodecs([codec]).decode(msgpack().encode({ a: 1 }));
      expect.unreachable();
    } catch (error) {
      expect(isCodecError(error)).toBe(true);
      expect(String(error)).toMatch(/add the one that did to `codec`/);
    }
  });
});
