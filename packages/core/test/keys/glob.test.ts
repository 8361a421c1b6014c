import { compileGlob, escapeGlob, matchesGlob } from "@continuum-cache/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("a glob", () => {
  it.each([
    ["query:*", "query:1", true],
    ["query:*", "query:", true],
    ["query:*", "queries:1", false],
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["h?llo", "hello", true],
    ["h?llo", "hllo", false],
    ["h[ae]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[^e]llo", "hallo", true],
    ["h[a-c]llo", "hbllo", true],
    ["h[c-a]llo", "hbllo", true],
    ["h\\*llo", "h*llo", true],
    ["h\\*llo", "hello", false],
    ["a\\", "a\\", true],
    ["[]", "a", false],
    ["[\\]]", "]", true],
    ["[abc", "b", true],
    ["a*b*c", "aXbXc", true],
    ["a*b*c", "aXbX", false],
    ["??", "é", true],
    ["????", "😀", true],
    ["?", "😀", false],
  ])("%j on %j is %s, as in Redis", (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it("that was escaped matches its text and nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, other) => {
        const matches = compileGlob(escapeGlob(text));
        expect(matches(text)).toBe(true);
        if (other.toWellFormed() !== text.toWellFormed()) expect(matches(other)).toBe(false);
      }),
    );
  });

  it("of bytes matches bytes that are no text", () => {
    expect(compileGlob(Uint8Array.of(0xff, 0x2a))(Uint8Array.of(0xff, 0x00, 0xc1))).toBe(true);
    expect(compileGlob("?")(Uint8Array.of(0xff))).toBe(true);
    expect(compileGlob(Uint8Array.of(0xfe))(Uint8Array.of(0xff))).toBe(false);
  });

  it("of many stars takes no time to speak of", () => {
    expect(matchesGlob(`${"*a".repeat(50)}b`, "a".repeat(5_000))).toBe(false);
  });
});
