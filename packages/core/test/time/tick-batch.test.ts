import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { afterThisTick, chunked, createTickBatch } from "../../src/kit.ts";

const endOfTick = (): Promise<void> => new Promise((resolve) => afterThisTick(resolve));

it("hands on together what one tick adds, in parts", async () => {
  const handed: (readonly number[])[] = [];
  const tick = createTickBatch<number>({ items: 3 }, (items) => handed.push(items));
  for (const item of [1, 2, 3, 4]) tick.add(item);
  expect(handed).toEqual([]);
  await endOfTick();
  expect(handed).toEqual([[1, 2, 3], [4]]);
  tick.add(5);
  await endOfTick();
  expect(handed).toEqual([[1, 2, 3], [4], [5]]);
});

it("hands on at once what must not be overtaken, and the rest at the end of the tick", async () => {
  const handed: (readonly number[])[] = [];
  const tick = createTickBatch<number>({ items: 3 }, (items) => handed.push(items));
  tick.flush();
  tick.add(1);
  tick.flush();
  expect(handed).toEqual([[1]]);
  tick.add(2);
  await endOfTick();
  expect(handed).toEqual([[1], [2]]);
});

it("cuts a list by number, size and kind: all items in order, and no part smaller than it has to be", () => {
  const item = fc.record({ kind: fc.constantFrom("a", "b"), size: fc.nat(20) });
  const sizeOf = ({ size }: { readonly size: number }): number => size;
  const sum = (items: readonly { readonly size: number }[]): number =>
    items.reduce((total, each) => total + sizeOf(each), 0);
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), fc.nat(40), (all, items, size) => {
      const parts = chunked(all, { items, size, sizeOf, isAlike: (first, { kind }) => first.kind === kind });
      expect(parts.flat()).toEqual(all);
      for (const [at, part] of parts.entries()) {
        expect(part.length).toBeGreaterThan(0);
        expect(part.length).toBeLessThanOrEqual(items);
        expect(new Set(part.map(({ kind }) => kind)).size).toBe(1);
        if (part.length > 1) expect(sum(part)).toBeLessThanOrEqual(size);
        const next = parts[at + 1]?.[0];
        if (!next || next.kind !== part[0]?.kind) continue;
        expect(part.length === items || sum([...part, next]) > size).toBe(true);
      }
    }),
    runs(),
  );
});
