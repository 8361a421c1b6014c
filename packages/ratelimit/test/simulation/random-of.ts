import { vi } from "vitest";

/** Numbers from 0 to 1 that a seed determines, for the limiters as well: a failing run can be repeated. */
export function randomOf(seed: number): () => number {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  vi.spyOn(Math, "random").mockImplementation(next);
  return next;
}
