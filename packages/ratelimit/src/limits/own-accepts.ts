import type { Accept } from "../algorithms/accepts.ts";

/** What this process has accepted for one key within its window: enough to count it again where it was not counted. */
export interface OwnAccepts {
  /** The sum of what is still within the window. */
  total(nowUs: number): number;
  add(accept: Accept): void;
  /** What was given back counts no more. */
  remove(atUs: number, cost: number): void;
  /** What is within the window, the oldest first. */
  list(nowUs: number): readonly Accept[];
  /** What was accepted until then is counted by the key that was born at `bornUs`. */
  settle(untilUs: number, bornUs: number): void;
  /** Only what that key has counted, and what no key has, counts on: the others are gone. */
  keepOnly(bornUs: number): void;
}

/** Calls within this part of a window are remembered as one, at the time of the last: they are freed late, never early. */
const partsOfWindow = 64;

export function createOwnAccepts(windowUs: number): OwnAccepts {
  let accepts: { bornUs: number; fromUs: number; atUs: number; cost: number }[] = [];
  let sum = 0;

  const drop = (nowUs: number): void => {
    let gone = 0;
    for (const { atUs, cost } of accepts) {
      if (atUs + windowUs > nowUs) break;
      sum -= cost;
      gone++;
    }
    if (gone > 0) accepts = accepts.slice(gone);
  };

  return {
    total(nowUs) {
      drop(nowUs);
      return sum;
    },
    add({ bornUs, atUs, cost }) {
      drop(atUs);
      sum += cost;
      const last = accepts.at(-1);
      if (last && last.bornUs === bornUs && atUs >= last.atUs && atUs - last.fromUs < windowUs / partsOfWindow) {
        last.atUs = atUs;
        last.cost += cost;
      } else accepts.push({ bornUs, fromUs: atUs, atUs, cost });
    },
    remove(atUs, cost) {
      const found = accepts.find((accept) => accept.fromUs <= atUs && atUs <= accept.atUs);
      const taken = Math.min(cost, found?.cost ?? 0);
      if (found) found.cost -= taken;
      sum -= taken;
    },
    list(nowUs) {
      drop(nowUs);
      return accepts.filter(({ cost }) => cost > 0).map(({ bornUs, atUs, cost }) => ({ bornUs, atUs, cost }));
    },
    settle(untilUs, bornUs) {
      for (const accept of accepts) if (accept.atUs <= untilUs) accept.bornUs = bornUs;
    },
    keepOnly(bornUs) {
      if (accepts.every((accept) => accept.bornUs === bornUs || accept.bornUs === 0)) return;
      accepts = accepts.filter((accept) => accept.bornUs === bornUs || accept.bornUs === 0);
      sum = accepts.reduce((all, { cost }) => all + cost, 0);
    },
  };
}
