/** How much of a key's recent traffic came from this process, and how much from all. */
export interface KeyTraffic {
  own: number;
  all: number;
}

/** Estimates which part of all traffic is this process's: its part of each limit while Redis is away. */
export interface TrafficShare {
  /** Adds what this process and what all processes have used of a key. */
  record(key: KeyTraffic, own: number, all: number): void;
  /**
   * The share, from 0 to 1. Undefined while nothing shows how many processes there are: this process then has no part
   * of its own.
   */
  of(key: KeyTraffic): number | undefined;
}

/** A key with little traffic proves little, so this many uses at the average share are added to it. */
const priorUses = 4;
/** Each new observation multiplies the weight of the earlier ones by this. */
const keyFading = 0.95;
const averageFading = 0.99;

/** @param processes - How many processes share the limits equally; undefined to estimate the share from traffic. */
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
