import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOutbox } from "../src/shared/outbox.ts";

describe("an outbox", () => {
  it("keeps its items in order, and refuses what exceeds its bounds", () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ peek: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ remove: fc.integer({ min: 0, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = createOutbox<{ number: number; size: number }>({ maxItems: 8, maxBytes: 40 });
        let model: { number: number; size: number }[] = [];
        const bytes = (): number => model.reduce((sum, { size }) => sum + size, 0);
        for (const [number, one] of steps.entries()) {
          if ("add" in one) {
            const fits = model.length < 8 && bytes() + one.add <= 40;
            expect(outbox.add({ number, size: one.add }, one.add)).toBe(fits);
            if (fits) model.push({ number, size: one.add });
          } else if ("peek" in one) {
            const first = outbox.peek(one.peek, one.bytes);
            expect(first).toEqual(model.slice(0, first.length));
            expect(first.length).toBeLessThanOrEqual(one.peek);
            if (model.length > 0) expect(first.length).toBeGreaterThan(0);
            const size = first.reduce((sum, item) => sum + item.size, 0);
            expect(first.length <= 1 || size <= one.bytes).toBe(true);
            const next = model[first.length];
            expect(!next || first.length === one.peek || size + next.size > one.bytes).toBe(true);
          } else {
            outbox.remove(one.remove);
            model = model.slice(one.remove);
          }
          expect([outbox.length, outbox.bytes]).toEqual([model.length, bytes()]);
        }
      }),
      runs(),
    );
  });
});
