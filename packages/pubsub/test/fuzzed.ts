import { fuzzMade } from "@continuum-cache/conformance";
import { scaled, testScale, testSeed } from "@continuum-cache/test-scale";
import { expect, it } from "vitest";

// Fast on purpose: a million inputs for each parser take minutes.

/** Draws of one seed. */
export interface Draw {
  /** A whole number from 0 to below this. */
  below(end: number): number;
  of<One>(some: readonly One[]): One;
  /** Digits, of ids that are too large too. */
  digits(): string;
  id(): string;
  /** Any text, made of parts that mean something and of letters that don't. */
  text(parts: readonly string[]): string;
  bytes(): Uint8Array;
  /** Text or bytes as a server may answer, what a codec has packed, and what nests too deep. */
  anything(parts: readonly string[]): string | Uint8Array;
  list<One>(most: number, one: () => One): One[];
  /** A reply of any shape. */
  reply(parts: readonly string[], depth?: number): unknown;
}

/** Mulberry32. */
function drawing(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const draw: Draw = {
    below: (end) => Math.floor(next() * end),
    of: (some) => some[draw.below(some.length)] as (typeof some)[number],
    digits: () => draw.of(["0", "1", "-1", "9007199254740993", "18446744073709551615", "", String(draw.below(1e15))]),
    id: () => (draw.below(8) === 0 ? draw.digits() : `${draw.digits()}-${draw.digits()}`),
    text: (parts) =>
      draw
        .list(12, () =>
          draw.below(3) === 0
            ? String.fromCharCode(draw.of([draw.below(128), draw.below(0x10000), 0xd800, 0]))
            : draw.below(3) === 0
              ? draw.digits()
              : draw.of(parts),
        )
        .join(""),
    bytes: () => Uint8Array.from(draw.list(80, () => draw.below(256))),
    anything(parts) {
      switch (draw.below(8)) {
        case 0:
          return draw.bytes();
        case 1:
          return `=${btoa(String.fromCharCode(0xc1, draw.of([0x6d, 0x42, 0x54, 0x7a]), ...draw.bytes()))}`;
        case 2:
          return draw.below(20) === 0
            ? draw.of(["[", '{"a":', '["', "=["]).repeat(draw.below(3_000))
            : draw.text(parts);
        default:
          return draw.text(parts);
      }
    },
    list: (most, one) => Array.from({ length: draw.below(most + 1) }, one),
    reply(parts, depth = 0) {
      const kind = draw.below(depth > 3 ? 3 : 5);
      if (kind === 0) return null;
      if (kind === 1) return draw.below(1e9);
      if (kind === 2) return draw.anything(parts);
      return draw.list(4, () => draw.reply(parts, depth + 1));
    },
  };
  return draw;
}

/** Longer than any pause of a busy machine, and far beyond what an input takes: it finds hangs only. */
const mostMs = 20_000;

/** A test that gives a parser any input. `TEST_SCALE=500` runs it on a million inputs and prints the worst. */
export function fuzz<Input>(name: string, make: (draw: Draw) => Input, parse: (input: Input) => void): void {
  it(`${name} answers any input`, () => {
    const { inputs, worstMs, grownMib } = fuzzMade({
      make: (seed) => make(drawing(seed)),
      run: parse,
      isExpected: () => false,
      inputs: scaled(2_000),
      seed: testSeed,
    });
    if (testScale >= 10)
      console.log(`${name}: ${inputs} inputs, worst ${worstMs.toFixed(2)} ms, ${grownMib.toFixed(0)} MiB`);
    expect(worstMs).toBeLessThan(mostMs);
  });
}
