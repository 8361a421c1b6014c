import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { NameMap } from "../../src/kit.ts";

it("holds what a Map holds", () => {
  const name = fc.integer({ max: 60, min: 0 }).map(String);
  const step = fc.oneof(
    fc.record({ name, value: fc.nat() }),
    fc.record({ name, value: fc.constant(undefined) }),
    fc.record({ name, value: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const own = new NameMap<number>();
      const map = new Map<string, number>();
      for (const { name, value } of steps) {
        if (value === undefined) expect(own.delete(name)).toBe(map.delete(name));
        else {
          own.set(name, value);
          map.set(name, value);
        }
        expect([own.has(name), own.get(name), own.size]).toEqual([map.has(name), map.get(name), map.size]);
      }
      expect(new Map(own)).toEqual(map);
      expect([...own.values()].sort()).toEqual([...map.values()].sort());
    }),
    runs(),
  );
});

it("goes on over what stays while names are deleted", () => {
  const own = new NameMap<number>();
  for (let nth = 0; nth < 100; nth++) own.set(String(nth), nth);
  const seen: number[] = [];
  for (const [name, value] of own) {
    seen.push(value);
    own.delete(name);
    own.delete(String(value + 1));
  }
  expect(seen).toEqual(Array.from({ length: 50 }, (_, nth) => 2 * nth));
  expect([own.size, ...own]).toEqual([0]);
});
