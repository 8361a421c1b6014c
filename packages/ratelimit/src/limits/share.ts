/** How much of a key's use was this process's, of late. */
export interface Uses {
  own: number;
  all: number;
}

/** How large a part of all use is this process's: what it may go on with while Redis counts for none. */
export interface Share {
  /** Takes in what this process and what all processes have used of a key. */
  seen(key: Uses, own: number, all: number): void;
  /** From 0 to 1; undefined while nothing says how many processes there are: then this one has no part of its own. */
  of(key: Uses): number | undefined;
}

/**
 * A single key's numbers say little when they are small: this many uses of the average of all keys stand beside them.
 */
const priorUses = 4;
/** Each look makes those before count this much less. */
const keyFading = 0.95;
const averageFading = 0.99;

/** @param processes - How many share the limits alike; undefined to estimate each key's share from its use. */
export function createShare(processes: number | undefined): Share {
  if (processes !== undefined) return { seen() {}, of: () => 1 / processes };
  const average: Uses = { own: 0, all: 0 };
  const add = (uses: Uses, fading: number, own: number, all: number): void => {
    uses.own = uses.own * fading + own;
    uses.all = uses.all * fading + all;
  };
  return {
    seen(key, own, all) {
      add(key, keyFading, own, all);
      add(average, averageFading, own, all);
    },
    of({ own, all }) {
      if (average.all === 0) return undefined;
      return Math.min(1, (own + (priorUses * average.own) / average.all) / (all + priorUses));
    },
  };
}
