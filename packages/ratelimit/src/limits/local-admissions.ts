import type { Admission } from "../algorithms/admissions.ts";

/** The calls that this process has admitted for one key within its window: enough to replay them to Redis. */
export interface LocalAdmissions {
  /** The sum of the costs that are still within the window. */
  total(nowUs: number): number;
  /** The sum of those that Redis has counted. */
  counted(nowUs: number): number;
  add(bornUs: number, atUs: number, cost: number): void;
  /** Removes a call that was refunded. */
  remove(atUs: number, cost: number): void;
  /** The admissions within the window, the oldest first. */
  list(nowUs: number): readonly Admission[];
  /** The same, to be replayed to Redis. @param claim - A unique number for each attempt: the latest attempt counts. */
  claim(nowUs: number, claim: number): readonly Admission[];
  /** Redis has counted what was claimed, in the key that was created at `bornUs`. */
  settle(claim: number, bornUs: number): void;
  /** Whether there are admissions that Redis has not counted. */
  hasNews(): boolean;
  /** Keeps the admissions that the key created at `bornUs` has counted, and those that Redis has not counted. */
  keepOnly(bornUs: number): void;
}

/**
 * Calls within this part of a window are kept as one entry, at the time of the last call: they become free late, never
 * early.
 */
const partsOfWindow = 64;

interface Entry {
  bornUs: number;
  readonly fromUs: number;
  atUs: number;
  cost: number;
  /** The last attempt to replay it to Redis; 0 when there was none. No call is added to a claimed entry. */
  claim: number;
}

export function createLocalAdmissions(windowUs: number): LocalAdmissions {
  let entries: Entry[] = [];
  let sum = 0;

  const drop = (nowUs: number): void => {
    let gone = 0;
    for (const { atUs, cost } of entries) {
      if (atUs + windowUs > nowUs) break;
      sum -= cost;
      gone++;
    }
    if (gone > 0) entries = entries.slice(gone);
  };

  const takesIn = (last: Entry | undefined, bornUs: number, atUs: number): last is Entry =>
    last?.claim === 0 && last.bornUs === bornUs && atUs >= last.atUs && atUs - last.fromUs < windowUs / partsOfWindow;

  const list = (nowUs: number): readonly Admission[] => {
    drop(nowUs);
    return entries.filter(({ cost }) => cost > 0).map(({ bornUs, atUs, cost }) => ({ bornUs, atUs, cost }));
  };

  return {
    total(nowUs) {
      drop(nowUs);
      return sum;
    },
    counted: (nowUs) => list(nowUs).reduce((all, { bornUs, cost }) => (bornUs === 0 ? all : all + cost), 0),
    add(bornUs, atUs, cost) {
      sum += cost;
      const last = entries[entries.length - 1];
      if (takesIn(last, bornUs, atUs)) {
        last.atUs = atUs;
        last.cost += cost;
      } else entries.push({ bornUs, fromUs: atUs, atUs, cost, claim: 0 });
    },
    remove(atUs, cost) {
      const found = entries.find((entry) => entry.fromUs <= atUs && atUs <= entry.atUs);
      const taken = Math.min(cost, found?.cost ?? 0);
      if (found) found.cost -= taken;
      sum -= taken;
    },
    list,
    claim(nowUs, claim) {
      const admissions = list(nowUs);
      for (const entry of entries) entry.claim = claim;
      return admissions;
    },
    settle(claim, bornUs) {
      for (const entry of entries) if (entry.claim === claim) entry.bornUs = bornUs;
    },
    hasNews: () => entries.some(({ bornUs, cost }) => bornUs === 0 && cost > 0),
    keepOnly(bornUs) {
      if (entries.every((entry) => entry.bornUs === bornUs || entry.bornUs === 0)) return;
      entries = entries.filter((entry) => entry.bornUs === bornUs || entry.bornUs === 0);
      sum = entries.reduce((all, { cost }) => all + cost, 0);
    },
  };
}
