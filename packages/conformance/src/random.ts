/** A source of chance that repeats itself: one seed, one sequence. */
export interface Random {
  /** From 0, included, to 1, excluded. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** One of the names, each as probable as its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
}

/**
 * The mulberry32 generator: 32 bits of state, good enough to draw programs from, and the same on every machine.
 *
 * @param seeds - Mixed into one, so that the parts of a history draw independently of each other.
 *
 * @example
 * ```ts
 * import { createRandom } from "@continuum-cache/conformance/servers";
 *
 * const random = createRandom(42);
 * const cost = random.chance(0.1) ? random.between(2, 10) : 1;
 * ```
 */
export function createRandom(...seeds: readonly number[]): Random {
  let state = seeds.reduce((mixed, seed) => Math.imul(mixed ^ seed, 0x9e3779b1) + 0x85ebca6b, 0x2545f491);

  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));

  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick(items) {
      if (items.length === 0) throw new RangeError("Expected something to pick from, got nothing");
      return items[between(0, items.length - 1)] as (typeof items)[number];
    },
    weighted(weights) {
      const names = Object.keys(weights) as (keyof typeof weights)[];
      let left = next() * names.reduce((sum, name) => sum + weights[name], 0);
      for (const name of names) {
        left -= weights[name];
        if (left < 0) return name;
      }
      return names.at(-1) as keyof typeof weights;
    },
  };
}
