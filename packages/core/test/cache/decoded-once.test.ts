import { type Codec, json } from "@continuum-cache/core";
import { combineCodecs } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodedOnce } from "../../src/cache/decoded-once.ts";

/** JSON, and how often it was decoded. */
function counting({ copies = true } = {}): Codec & { readonly decoded: string[] } {
  const { copy, ...codec } = json();
  const decoded: string[] = [];
  return {
    ...codec,
    decoded,
    decode(stored) {
      decoded.push(String(stored));
      return codec.decode(stored);
    },
    ...(copies && copy && { copy }),
  };
}

class PrefixCodec implements Codec {
  readonly name = "prefix";
  readonly #prefix = "#";

  encode(value: unknown): string {
    return this.#prefix + JSON.stringify(value);
  }

  decode(stored: string | Uint8Array): unknown {
    return typeof stored === "string" && stored.startsWith(this.#prefix) ? JSON.parse(stored.slice(1)) : undefined;
  }

  copy(value: unknown): unknown {
    return JSON.parse(this.encode(value).slice(1));
  }
}

const tree = fc.letrec<{ part: unknown }>((tie) => ({
  part: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue(),
    fc.array(tie("part")),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "length", "0")), tie("part")),
  ),
})).part;

/** Its text, and the prototypes of its objects. */
const looks = (value: unknown): unknown => {
  const prototypes: unknown[] = [];
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "object" && part !== null) prototypes.push(Object.getPrototypeOf(part));
    return part;
  });
  return [text, prototypes];
};

describe("a codec that decodes once", () => {
  it("gives each reader a deep copy equal to a freshly decoded value", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const codec = decodedOnce(json());
        const text = JSON.stringify(value);
        const expected = json().decode(text);
        const first = codec.decode(text);
        expect(looks(first)).toEqual(looks(expected));
        spoil(first);
        const second = codec.decode(text);
        expect(looks(second)).toEqual(looks(expected));
        expect(second).toEqual(expected);
      }),
      runs(),
    );
  });

  it("copies no field that all objects have by their prototype", () => {
    const codec = decodedOnce(json());
    Object.assign(Object.prototype, { added: { by: "a library" } });
    try {
      for (let nth = 0; nth < 2; nth++) {
        expect(Object.keys(codec.decode('{"a":{"b":[{}]}}') as object)).toEqual(["a"]);
      }
    } finally {
      Reflect.deleteProperty(Object.prototype, "added");
    }
  });

  it("decodes a text that is read often once, and others each time", () => {
    const inner = counting();
    const codec = decodedOnce(inner);
    const long = JSON.stringify(["x".repeat(20_000)]);
    for (const text of ['{"a":1}', '{"a":1}', "5", "5", long, long, "name", "name"]) codec.decode(text);
    expect(inner.decoded).toEqual(['{"a":1}', "5", "5", long, long, "name", "name"]);
    expect(codec.decode(new Uint8Array([1]))).toBeUndefined();
  });

  it("remembers no failure", () => {
    const codec = decodedOnce(json());
    for (let nth = 0; nth < 2; nth++) expect(() => codec.decode('{"a":')).toThrow("Expected JSON");
  });

  /** Reads texts in turn that are made from numbers. @returns how many of them were decoded. */
  const reader = (textOf: (nth: number) => string) => {
    const inner = counting();
    const codec = decodedOnce(inner);
    return (from: number, to: number): number => {
      const before = inner.decoded.length;
      for (let nth = from; nth < to; nth++) codec.decode(textOf(nth));
      return inner.decoded.length - before;
    };
  };

  it("forgets a value after 8 MiB of other values were read", () => {
    // 10 kB each.
    const read = reader((nth) => JSON.stringify([nth, "x".repeat(4_900)]));
    expect(read(0, 400)).toBe(400);
    expect(read(0, 400)).toBe(0);
    expect(read(1_000, 1_900)).toBe(900);
    expect(read(0, 400)).toBe(400);
  });

  it("remembers fewer values of the same length when they take more memory", () => {
    // 1.8 kB of text each, and 40 kB as values.
    const read = reader((nth) => JSON.stringify([nth, Array.from({ length: 600 }, () => ({}))]));
    expect(read(0, 90)).toBe(90);
    expect(read(0, 90)).toBe(0);
    expect(read(1_000, 1_300)).toBe(300);
    expect(read(0, 90)).toBe(90);
  });

  it("counts a text beyond Latin-1, whose characters take two bytes each, in the text and in the value", () => {
    // 20 kB each.
    const read = reader((nth) => JSON.stringify([nth, "猫".repeat(4_900)]));
    expect(read(0, 200)).toBe(200);
    expect(read(0, 200)).toBe(0);
    expect(read(1_000, 1_450)).toBe(450);
    expect(read(0, 200)).toBe(200);
  });

  it("calls the functions of a codec that is an object of a class as its methods", () => {
    const codec = combineCodecs([decodedOnce(new PrefixCodec())]);
    const text = codec.encode({ a: [1] });
    expect(text).toBe('#{"a":[1]}');
    for (let nth = 0; nth < 2; nth++) expect(codec.decode(text)).toEqual({ a: [1] });
  });

  it("is the codec itself where that has no copy", () => {
    const inner = counting({ copies: false });
    expect(decodedOnce(inner)).toBe(inner);
  });
});

/** Changes whatever can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const part of Object.values(value)) spoil(part);
  for (const name of Object.keys(value)) Reflect.deleteProperty(value, name);
  Object.assign(value, { spoiled: true });
}
