import { keyPattern, keys } from "@continuum-cache/core";
import { assertKey, matchesGlob, maxKeyBytes } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";

const order = keyPattern("order:{region}:{id}", { ttl: "10m" });
const hostile = [
  "*",
  "a:b",
  "[x]",
  "😀",
  "a*",
  "?",
  "{x}",
  "\\",
  "%",
  "%3A",
  "a%2Ab",
  " ",
  "\n",
  "é",
  "x".repeat(10_240),
];

describe("a key pattern", () => {
  it("makes, parses and matches keys", () => {
    expect(order({ region: "eu", id: 7 })).toBe("order:eu:7");
    expect(order.parse("order:eu:7")).toEqual({ region: "eu", id: "7" });
    expect(order.match({ region: "eu" })).toBe("order:eu:*");
    expect(order.match()).toBe("order:*:*");
    expect(order.ttlMs).toBe(600_000);
  });

  it("types its parameters from the template", () => {
    expectTypeOf(order)
      .parameter(0)
      .toEqualTypeOf<{ readonly region: string | number; readonly id: string | number }>();
    // @ts-expect-error a parameter is missing
    expect(() => order({ region: "eu" })).toThrow(/Expected `id` of the key pattern "order:\{region\}:\{id\}"/);
    expect(keys.fedEvents()).toBe("fed:sync:events");
  });

  it.each(hostile)("gives %j back whole", (id) => {
    expect(keys.session.parse(keys.session({ userId: id }))).toEqual({ userId: id });
  });

  it("lets no two sets of parameters share a key, and no id reach another's keys through a glob", () => {
    const id = fc.oneof(fc.constantFrom(...hostile), fc.string({ minLength: 1, unit: "grapheme" }));
    fc.assert(
      fc.property(id, id, id, id, (region, one, otherRegion, other) => {
        const [key, otherKey] = [order({ region, id: one }), order({ region: otherRegion, id: other })];
        const same = region === otherRegion && one === other;
        expect(key === otherKey).toBe(same);
        expect(order.parse(key)).toEqual({ region, id: one });
        expect(matchesGlob(order.match({ region, id: one }), otherKey)).toBe(same);
        expect(matchesGlob(order.match({ region }), otherKey)).toBe(region === otherRegion);
      }),
      runs(1_000),
    );
  });

  it.each(["session:a:b", "session:", "session:*", "other:a", "session:%2a", "session:%zz"])(
    "does not take %j for one of its own",
    (key) => {
      expect(keys.session.parse(key)).toBeUndefined();
    },
  );

  it.each(["", Number.NaN, Number.POSITIVE_INFINITY, undefined, null, {}, "\ud800"])(
    "refuses %s as a parameter",
    (id) => {
      expect(() => keys.session({ userId: id as string })).toThrow(TypeError);
    },
  );

  it.each(["\ud800", "user:\ud83d", "\udfffx", "a\ud83d\ud83dé"])("is none with half of a character: %j", (key) => {
    expect(() => assertKey(key)).toThrow(/half a surrogate pair/);
    expect(() => keyPattern(`${key}:{id}`)).toThrow(TypeError);
  });

  it("has whole characters, of any plane", () => {
    for (const key of ["😀", "a😀b", "\u{10ffff}", "\ud7ff\ue000"]) assertKey(key);
  });

  it("refuses a key over the documented size, saying how long it is", () => {
    expect(() => keys.session({ userId: "x".repeat(maxKeyBytes) })).toThrow(/at most 32768 bytes, got 32776 bytes/);
  });

  it.each(["", "a:{x}:{x}", "a:{x}{y}", "a:{x}.{y}", "a:*:{x}", "a:{x", "a:{}", "x".repeat(100_000)])(
    "refuses the template %j",
    (template) => {
      expect(() => keyPattern(template)).toThrow(/Expected a template such as/);
    },
  );

  it("hashes a query's text stably", () => {
    const key = keys.query.of("what is a lattice?");
    expect(key).toBe("query:0958a1152d5d9a2c18d7be1821e8de8d7d3645895cdebe91bbdcedf7450a35c8");
    expect(keys.query.of("what is a lattice?")).toBe(key);
    expect(keys.query.of("what is a lattice ?")).not.toBe(key);
    expect(keys.query.parse(key)).toBeDefined();
  });
});
