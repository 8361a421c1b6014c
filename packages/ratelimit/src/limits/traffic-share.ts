/** How much of a key's use was this process's, of late. */
export interface KeyTraffic {
  own: number;
  all: number;
}

/** How large a part of all use is this process's: what it may go on with while Redis counts for none. */
export interface TrafficShare {
  /** Takes in what this process and what all processes have used of a key. */
  record(key: KeyTraffic, own: number, all: number): void;
  /** From 0 to 1; undefined while nothing says how many processes there are: then this one has no part of its own. */
  of(key: KeyTraffic): number | undefined;
}

/**
 * A single key's numbers say little when they are small: this many uses of the average of all keys stand beside them.
 */
const priorUses = 4;
/** Each look makes those before count this much less. */
const keyFading = 0.95;
const averageFading = 0.99;

/** @param processes - How many share the limits alike; undefined to estimate each key's share from its use. */
export function createTrafficShare(processes: number | undefined): TrafficShare {
  if (processes !== undefined) return { record() {}, of: () => 1 / processes };
  const average: KeyTraffic = { own: 0, all: 0 };
  const add = (traffic: KeyTraffic, fading: number, own: number, all: number): void => {
    traffic.own = traffic.own * fading + own;
    traffic.all = traffic.all * fading + all;
  };
  return {
    record(key, own, all) {
      add(key, keyFading, own, all);
      add(average, averageFading, own, all);
    },
    of({ own, all }) {
      if (average.all === 0) return undefined;
      return Math.min(1, (own + (priorUses * average.own) / average.all) / (all + priorUses));
    },
  };
}
