import { createLru } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const step = fc.record({
  does: fc.constantFrom("set" as const, "get" as const, "peek" as const, "delete" as const),
  id: fc.constantFrom("a", "b", "c", "d", "e", "k".repeat(20_000)),
  bytes: fc.nat(4),
});

describe("a least-recently-used map", () => {
  it("does what a list in the order of use does, bounded in number and in bytes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), (steps, maxEntries) => {
        const maxBytes = 8;
        const gone: string[] = [];
        const lru = createLru<string>({ maxEntries, maxBytes, onGone: (value, why) => gone.push(`${value} ${why}`) });
        let model: { id: string; value: string; bytes: number }[] = [];
        const expected: string[] = [];
        for (const [nth, { does, id, bytes }] of steps.entries()) {
          const present = model.find((one) => one.id === id);
          if (does === "peek") expect(lru.peek(id)).toBe(present?.value);
          else if (does === "get") {
            expect(lru.get(id)).toBe(present?.value);
            if (present) model = [...model.filter((one) => one !== present), present];
          } else if (does === "delete") {
            expect(lru.delete(id)).toBe(present !== undefined);
            if (present) expected.push(`${present.value} deleted`);
            model = model.filter((one) => one !== present);
          } else {
            lru.set(id, `${nth}`, bytes);
            if (present) expected.push(`${present.value} replaced`);
            model = [...model.filter((one) => one !== present), { id, value: `${nth}`, bytes }];
            while (model.length > maxEntries || model.reduce((sum, one) => sum + one.bytes, 0) > maxBytes) {
              expected.push(`${model.shift()?.value} evicted`);
            }
          }
          expect([lru.size, lru.bytes]).toEqual([model.length, model.reduce((sum, one) => sum + one.bytes, 0)]);
          expect(new Map(lru)).toEqual(new Map(model.map((one) => [one.id, one.value])));
        }
        expect(gone).toEqual(expected);
      }),
      runs(),
    );
  });

  it("counts no bytes where none are given, and has no limits of its own", () => {
    const lru = createLru<number>({});
    for (let nth = 0; nth < 1_000; nth++) lru.set(`${nth}`, nth);
    expect([lru.size, lru.bytes, lru.get("0")]).toEqual([1_000, 0, 0]);
  });
});
