import { escapeGlob } from "@continuum-cache/core";
import { compileGlob, matchesGlob, prefixOfGlob } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayMatchGlob } from "../../src/keys/glob-text.ts";

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
      runs(),
    );
  });

  it("of bytes matches bytes that are no text", () => {
    expect(compileGlob(Uint8Array.of(0xff, 0x2a))(Uint8Array.of(0xff, 0x00, 0xc1))).toBe(true);
    expect(compileGlob("?")(Uint8Array.of(0xff))).toBe(true);
    expect(compileGlob(Uint8Array.of(0xfe))(Uint8Array.of(0xff))).toBe(false);
  });

  it("matches what Redis' own recursion matches", () => {
    const pattern = fc.string({
      unit: fc.constantFrom("a", "b", "*", "?", "[", "]", "^", "-", "\\", "é"),
      maxLength: 12,
    });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "-", "é"), maxLength: 24 });
    fc.assert(
      fc.property(pattern, text, (glob, candidate) => {
        expect(matchesGlob(glob, candidate)).toBe(recursively(bytesOf(glob), bytesOf(candidate)));
      }),
      runs(1_500),
    );
  });

  it.each([
    ["stars and characters", (size: number) => `${"*a".repeat(size / 2)}b`],
    ["one long run of characters", (size: number) => `*${"a".repeat(size)}b*`],
    ["question marks between stars", (size: number) => `${"*?".repeat(size / 2)}b`],
    ["sets between stars", (size: number) => `${"*[ab]a".repeat(size / 6)}c`],
  ])("of %s takes time proportional to pattern + text", (_, make) => {
    const bytesLookedAt = (size: number): number => {
      const text = countingBytes("a".repeat(size));
      expect(compileGlob(make(size))(text.bytes)).toBe(false);
      return text.reads();
    };
    expect(bytesLookedAt(16_000)).toBeLessThan(8 * 16_000);
  });

  it("of many question marks in a row looks at each byte of a text once for each place", () => {
    const text = countingBytes("a".repeat(16_000));
    expect(compileGlob(`*${"a?".repeat(4_000)}b*`)(text.bytes)).toBe(false);
    expect(text.reads()).toBeLessThan(16_000 * (8_000 / 32 + 8));
  });

  it.each([
    ["query:*", "query:"],
    ["query:?", "query:"],
    ["a\\*b*c", "a*b"],
    ["[ab]", ""],
    ["plain", "plain"],
    ["end\\", "end"],
    ["😀*", "😀"],
  ])("%j begins with the text %j", (glob, prefix) => {
    expect(prefixOfGlob(glob)).toBe(prefix);
  });

  it.each([
    ["user:*:profile", "user:1:name", true],
    ["user:*:profile", "users:1", false],
    ["user:1", "user:1", true],
    ["user:1", "user:10", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "a*bc", false],
  ])("%j may match %j, by its beginning: %s", (glob, key, expected) => {
    expect(mayMatchGlob(glob)(key)).toBe(expected);
  });

  it("never rules out a key that it matches", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "[", "]", "\\", "é"), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "*", "\\"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (glob, key) => {
        if (matchesGlob(glob, key)) expect(mayMatchGlob(glob)(key)).toBe(true);
      }),
      runs(1_500),
    );
  });
});

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** Bytes that count how often they are looked at. */
function countingBytes(text: string): { readonly bytes: Uint8Array; reads(): number } {
  let reads = 0;
  const bytes = new Proxy(new TextEncoder().encode(text), {
    get(target, name) {
      if (name === "length") return target.length;
      reads++;
      return Reflect.get(target, name);
    },
  });
  return { bytes, reads: () => reads };
}

/** `stringmatchlen` of Redis, without its bound on stars. */
function recursively(pattern: readonly number[], text: readonly number[]): boolean {
  const [star, question, open, close, backslash, caret, dash] = bytesOf("*?[]\\^-");
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === star) {
    return recursively(rest, text) || (text.length > 0 && recursively(pattern, text.slice(1)));
  }
  const [byte, ...others] = text;
  if (byte === undefined) return false;
  if (first === question) return recursively(rest, others);
  if (first === open) {
    const isNegated = rest[0] === caret;
    let at = isNegated ? 1 : 0;
    let isIn = false;
    for (; at < rest.length && rest[at] !== close; at++) {
      if (rest[at] === backslash && at + 1 < rest.length) {
        at++;
        isIn ||= rest[at] === byte;
      } else if (rest[at + 1] === dash && at + 2 < rest.length) {
        const [low = 0, high = 0] = [rest[at], rest[at + 2]].sort((a = 0, b = 0) => a - b);
        isIn ||= byte >= low && byte <= high;
        at += 2;
      } else isIn ||= rest[at] === byte;
    }
    return isIn !== isNegated && recursively(rest.slice(at + 1), others);
  }
  const [literal, left] = first === backslash && rest.length > 0 ? [rest[0], rest.slice(1)] : [first, rest];
  return literal === byte && recursively(left, others);
}
