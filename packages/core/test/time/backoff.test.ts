import { createBackoff } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

describe("a backoff", () => {
  it("doubles its pauses up to the longest, and begins anew after a reset", () => {
    const backoff = createBackoff({ firstMs: 100, longestMs: 500, random: () => 0.5 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 500, 500]);
    backoff.reset();
    expect([1, 2].map(() => backoff.next())).toEqual([100, 200]);
  });

  it("spreads each pause between half and one and a half of its length", () => {
    const pauseFor = (random: number): number =>
      createBackoff({ firstMs: 100, longestMs: 500, random: () => random }).next();
    expect([0, 0.25, 0.99].map(pauseFor)).toEqual([50, 75, 149]);
    const { next } = createBackoff({ firstMs: 100, longestMs: 100 });
    for (let n = 0; n < 100; n++) {
      const ms = next();
      expect(ms).toBeGreaterThanOrEqual(50);
      expect(ms).toBeLessThan(150);
    }
  });
});
