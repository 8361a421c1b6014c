import { CodecError, json } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import { combineCodecs, toTextForm } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe, expect, it } from "vitest";

const sealed = (letter: string, ...body: number[]): Uint8Array => Uint8Array.of(0xc1, letter.charCodeAt(0), ...body);

/** What decoding throws; the arrays that are allocated on the way are counted by their length. */
function decoding(codec: { decode(stored: string | Uint8Array): unknown }, stored: string | Uint8Array): unknown {
  try {
    return codec.decode(stored);
  } catch (error) {
    return error;
  }
}

/** Lists one in the other, each of which announces as many items as there are bytes in all. */
function bomb(bytes: number): Uint8Array {
  const stored = new Uint8Array(bytes + 2).fill(0xc0);
  stored.set(sealed("m"));
  const view = new DataView(stored.buffer);
  for (let at = 2; at + 5 <= stored.length; at += 5) {
    stored[at] = 0xdd;
    view.setUint32(at + 1, bytes);
  }
  return stored;
}

describe("hostile MessagePack", () => {
  it.each([20, 100, 1_000])("of %i KB that announces more than there is reserves nothing", (kilobytes) => {
    expect(decoding(msgpack(), bomb(kilobytes * 1_024))).toBeInstanceOf(CodecError);
    expect(decoding(msgpack(), toTextForm(bomb(kilobytes * 1_024)))).toBeInstanceOf(CodecError);
  });

  it.each<[string, number[]]>([
    ["a list of 2^32-1", [0xdd, 255, 255, 255, 255]],
    ["a map of 2^31", [0xdf, 128, 0, 0, 0]],
    ["a map without its last value", [0x81, 0xa1, 0x61]],
    ["a text of 2^32-1", [0xdb, 255, 255, 255, 255]],
    ["bytes of 2^32-1", [0xc6, 255, 255, 255, 255]],
    ["an extension of 2^32-1", [0xc9, 255, 255, 255, 255, 1]],
    ["an unknown extension", [0xd4, 9, 0]],
    ["a Map that is no list", [0xd4, 1, 0x01]],
    ["a Map of three parts", [0xd6, 1, 0x93, 1, 2, 3]],
    ["an empty Set's bytes", [0xc7, 0, 2]],
    ["a Set that is cut short inside", [0xd5, 2, 0x92, 1]],
    ["a typed array of half a number", [0xd5, 4, 7, 1]],
    ["a typed array of no kind", [0xc7, 0, 4]],
    ["a bigint that is none", [0xd4, 3, 0x7a]],
    ["a whole number beyond 2^53", [0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1]],
    ["a whole number below -2^53", [0xd3, 0xff, 0xdf, 255, 255, 255, 255, 255, 255]],
    ["the head that does not exist", [0xc1]],
    ["more than one value", [1, 2]],
    ["nothing", []],
    ["a length without its bytes", [0xdc, 1]],
  ])("with %s is a CodecError", (_, body) => {
    expect(decoding(msgpack(), sealed("m", ...body))).toBeInstanceOf(CodecError);
  });

  it("of any depth is a CodecError, through lists, maps and extensions", () => {
    const deep = (open: number[], length: number): Uint8Array => {
      const stored = sealed("m", ...Array.from({ length }, () => open).flat());
      return Uint8Array.of(...stored, 0xc0);
    };
    for (const open of [[0x91], [0x81, 0xa1, 0x61]]) {
      expect(String(decoding(msgpack(), deep(open, 20_000)))).toMatch(/at most 100 levels/);
    }
    let set: number[] = [1];
    for (let level = 0; level < 101; level++) {
      const length = set.length + 1;
      set = [0xc8, length >> 8, length & 255, 2, 0x91, ...set];
    }
    expect(String(decoding(msgpack(), sealed("m", ...set)))).toMatch(/at most 100 levels/);
  });

  it("never shows other callers' bytes: a typed array has a buffer of its own, whatever carried it", () => {
    const value = {
      vector: Float32Array.of(1, 2),
      raw: Uint8Array.of(7, 8),
      nested: new Map([["r", Uint8Array.of(9)]]),
    };
    const stored = msgpack().encode(value) as Uint8Array;
    const pool = Buffer.alloc(stored.length + 64, "s");
    pool.set(stored, 32);
    const carried = pool.subarray(32, 32 + stored.length);
    const found = msgpack().decode(carried) as typeof value;
    expect(found).toEqual(value);
    for (const part of [found.vector, found.raw, found.nested.get("r") as Uint8Array]) {
      expect(part.buffer.byteLength).toBe(part.byteLength);
      expect(part.constructor.name).not.toBe("Buffer");
    }
    const again = msgpack().decode(carried) as typeof value;
    found.raw[0] = 0;
    expect(again.raw[0]).toBe(7);
  });
});

describe("hostile JSON", () => {
  it.each(["[", '{"a":', '[{"b":'])("of any depth is a CodecError: %s", (open) => {
    expect(decoding(json(), open.repeat(200_000))).toBeInstanceOf(CodecError);
    const close = open.replace(/[^[{]/g, "").replace(/./g, (char) => (char === "[" ? "]" : "}"));
    const text = `${open.repeat(200)}1${[...close].reverse().join("").repeat(200)}`;
    expect(() => JSON.parse(text)).not.toThrow();
    expect(String(decoding(json(), text))).toMatch(/at most 100 levels/);
  });

  it("counts no bracket inside a text", () => {
    const texts = ["[".repeat(300), `"${"\\".repeat(3)}`, '\\"[[', "{".repeat(300)];
    expect(json().decode(JSON.stringify(texts))).toEqual(texts);
    expect(json().decode(JSON.stringify({ [`"${"[".repeat(300)}`]: texts }))).toEqual({
      [`"${"[".repeat(300)}`]: texts,
    });
  });

  it("reads as many siblings as there are", () => {
    const value = Array.from({ length: 5_000 }, (_, index) => ({ list: [[index]] }));
    expect(json().decode(JSON.stringify(value))).toEqual(value);
  });
});

describe("a number that JavaScript can't hold exactly", () => {
  it.each([
    ['{"user":{"id":702740689846272002}}', "(at $.user.id)"],
    ["[1,9007199254740993]", "(at $[1])"],
    ['{"a":["9007199254740993",-9007199254740993]}', "(at $.a[1])"],
    ['{"big":1e400}', "(at $.big)"],
  ])("inside JSON is a CodecError that names its path: %s", (text, path) => {
    const error = decoding(json(), text);
    expect(error).toBeInstanceOf(CodecError);
    expect(String(error)).toContain(`JSON can't hold a number of so many digits exactly ${path}`);
    expect(String(error)).not.toContain("702740689846272002");
  });

  it.each([2 ** 53, 2 ** 60, -(2 ** 70), 1e21, 1e300, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 9007199254740991])(
    "is not what a cache has stored itself: %d comes back",
    (value) => {
      expect(json().decode(json().encode(value))).toBe(value);
      expect(json().decode(json().encode([{ value }]))).toEqual([{ value }]);
    },
  );
});

describe("what another client has stored", () => {
  it.each([
    ["plain text", "plain text"],
    ["hello", "hello"],
    ["", ""],
    ["00123", "00123"],
    ["=hello", "=hello"],
    ["702740689846272002", "702740689846272002"],
    ["-9007199254740993", "-9007199254740993"],
    ["42", 42],
    ["true", true],
    ['{"a":1}', { a: 1 }],
  ])("%j is read", (text, value) => {
    for (const codecs of [[], [json()], [msgpack()], [compressed(json()), msgpack()]]) {
      expect(combineCodecs(codecs).decode(text)).toEqual(value);
    }
  });

  it.each(['{"a":', '"cut', "[1,", 'say "hi"', "a}", toTextForm(sealed("q", 1))])(
    "%j is a CodecError: it may be a damaged value, or another codec's",
    (text) => {
      const error = decoding(combineCodecs([json()]), text);
      expect(error).toBeInstanceOf(CodecError);
      expect(String(error)).not.toContain(text);
    },
  );
});

describe("hostile compressed bytes", () => {
  it("that announce more than so few can hold reserve nothing", () => {
    const claim = sealed("z", 1, 0, 0, 0, 0x03, 0);
    expect(String(decoding(compressed(json()), claim))).toMatch(/damaged bytes/);
  });

  it("still give back the best that deflate can do", () => {
    const zeros = "0".repeat(4 << 20);
    const codec = compressed(json(), { above: 0, level: 9 });
    expect(codec.decode(codec.encode(zeros))).toBe(zeros);
  });
});
