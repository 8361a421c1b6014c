import type { Source } from "./queue-keys.ts";

/** Takes turns among streams, in proportion to their weights and evenly spread, so that none starves. */
export interface Turns {
  /** Whose turn it is: what came back goes before all. Undefined where there are no candidates. */
  next(candidates: Iterable<Source>): Source | undefined;
}

export function createTurns(): Turns {
  /** How much each stream is owed. */
  const credits = new Map<Source, number>();
  return {
    next(candidates) {
      let chosen: Source | undefined;
      let most = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (const source of candidates) {
        if (source.priority === undefined) return source;
        const credit = (credits.get(source) ?? 0) + source.weight;
        credits.set(source, credit);
        total += source.weight;
        if (credit > most) [chosen, most] = [source, credit];
      }
      if (chosen) credits.set(chosen, most - total);
      return chosen;
    },
  };
}
