import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fromMessageText,
  fromWireChannel,
  matchesGlob,
  seal,
  toMessageText,
  toWireChannel,
  toWirePattern,
} from "../src/kit.ts";

const wholeText = fc
  .string({ unit: "binary", minLength: 1, maxLength: 60 })
  .filter((text) => !/\p{Surrogate}/u.test(text));
const lines = /[\p{Cc}]/u;

describe("channel names as they travel", () => {
  it("are the names themselves, in all but rare cases", () => {
    for (const name of ["ws:memory:updates", "a/b?c=d#e", "with space", "ключ 键 🔑", '"quoted"', "*?[a]", "..."]) {
      expect(toWireChannel(name)).toBe(name);
    }
  });

  it("hold nothing that a stream of events can't carry, and come back whole", () => {
    fc.assert(
      fc.property(wholeText, (name) => {
        const wire = toWireChannel(name);
        expect(wire).not.toMatch(/[\p{Cc},]/u);
        expect(["", ".", ".."]).not.toContain(wire);
        expect(fromWireChannel(wire)).toBe(name);
      }),
      runs(),
    );
    expect(["a,b", "100%", ".", "..", "\u0085"].map(toWireChannel)).toEqual([
      "a%2Cb",
      "100%25",
      "%2E",
      "%2E%2E",
      "%85",
    ]);
  });

  it("of another client are left as it has named them", () => {
    expect(["100%", "%zz", "a%20b"].map(fromWireChannel)).toEqual(["100%", "%zz", "a%20b"]);
  });

  it("that can't be are refused before anything is sent", () => {
    expect(() => toWireChannel("")).toThrow('Expected a channel to be a non-empty string, got ""');
    expect(() => toWireChannel(7 as unknown as string)).toThrow("got number");
    expect(() => toWireChannel("\ud800x")).toThrow("half a surrogate pair");
    expect(() => toWireChannel("x".repeat(4_097))).toThrow("at most 4096 bytes, got 4097");
    expect(() => toWireChannel(",".repeat(1_400))).toThrow("got 4200");
  });
});

describe("patterns as they travel", () => {
  it("match the channels that they match at home", () => {
    const piece = fc.constantFrom("a", "b", ",", "%", "\n", "\\,", "\\*", "*", "[ab]", "[^a]", "é");
    const text = fc.array(fc.constantFrom("a", "b", ",", "%", "\n", "*", "é"), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), text, (pieces, chars) => {
        const [pattern, channel] = [pieces.join(""), chars.join("")];
        // A set stands for one byte, and an escaped character is three.
        fc.pre(!(/\[/.test(pattern) && /[,%\n]/.test(channel)));
        expect(matchesGlob(toWirePattern(pattern), toWireChannel(channel))).toBe(matchesGlob(pattern, channel));
      }),
      runs(),
    );
  });

  it("are refused when a bracket set holds what would have to be escaped", () => {
    expect(() => toWirePattern("a[,;]b")).toThrow("write one pattern for each");
    expect(toWirePattern("a[;b],*")).toBe("a[;b]%2C*");
  });
});

describe("what a codec has written, as text of a message", () => {
  it("is one line of text and comes back whole", () => {
    const written = fc.oneof(
      wholeText,
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => seal("M", bytes)),
    );
    fc.assert(
      fc.property(written, (encoded) => {
        const text = toMessageText(encoded);
        expect(text).not.toMatch(lines);
        const back = fromMessageText(text);
        // Sealed bytes keep their own text form, which their codec reads.
        if (encoded instanceof Uint8Array && encoded[0] === 0xc1) expect(back).toBe(text);
        else expect(back).toEqual(encoded);
      }),
      runs(),
    );
  });

  it("is itself where that is possible, so that any other client reads it", () => {
    for (const text of ['{"a":[1,"ü"]}', '"123"', "null", ""]) expect(toMessageText(text)).toBe(text);
  });

  it("never looks like what is wrapped", () => {
    for (const text of ["=abc", "~1-2:x:y"]) expect(fromMessageText(toMessageText(text))).toBe(text);
  });
});
