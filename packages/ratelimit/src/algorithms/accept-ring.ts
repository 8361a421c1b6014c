import type { Accept } from "./accepts.ts";
import { digits, numberAt } from "./digits.ts";
import {
  fewRecords,
  frontRecords,
  longestLeadUs,
  parseEarlierWindow,
  parseWindow,
  type WindowText,
  widthOf,
  windowText,
} from "./window-text.ts";

/** The accepted calls of a window, in order. */
export interface AcceptRing {
  /** The time to which it has gone on. */
  readonly lastUs: number;
  readonly bornUs: number;
  /** The sum of the costs. */
  readonly total: number;
  /** When the oldest, and the newest, was accepted; 0 when there is none. */
  readonly oldestUs: number;
  readonly newestUs: number;
  /** Goes on to a later time: lets go of those that are as old as the window by then. */
  advance(nowUs: number): void;
  /** When the call was accepted with whose end so much is free. */
  freeing(amount: number): number;
  /** Adds to the end. */
  append(atUs: number, cost: number): void;
  /** Takes back what was accepted at exactly this time. @returns how much. */
  take(atUs: number, most: number): number;
  /** Sorts others in. @param isExact - Times are unique: what was accepted at a time that is here already is here already. */
  insert(accepts: readonly Accept[], isExact: boolean): boolean;
  text(): string;
  /** The end of the time for which its text is stored. */
  lastsUs(): number;
}

const modulo = (value: number, range: number): number => value - Math.floor(value / range) * range;

/** @param costWidth - For a new ring. @returns undefined when the text is no ring for windows of this length. */
export function openRing(
  text: string | null,
  nowUs: number,
  windowUs: number,
  costWidth: number,
): AcceptRing | undefined {
  const width = widthOf(windowUs);
  const empty = {
    width,
    wide: costWidth,
    lastUs: nowUs - 1,
    bornUs: nowUs,
    lastsUs: 0,
    total: 0,
    later: "",
    front: "",
    gone: 0,
  };
  const parsed = text ? parseWindow(text) : undefined;
  const stored: WindowText | undefined = text ? (parsed ?? parseEarlierWindow(text)) : empty;
  if (!stored || stored.width !== width) return undefined;
  const { wide, bornUs, front } = stored;
  const range = 64 ** width;
  const step = width + wide;
  const largest = 64 ** wide - 1;
  let { lastUs, total, gone } = stored;
  // Every record is in one of these, in this order: the front, those that were stored behind it, and those that are new.
  let known = front.slice(gone * step);
  let later = stored.later;
  let added = "";
  /** Whether the records but for `added` are those that are stored. */
  let isAsStored = parsed !== undefined;

  const timeAt = (records: string, at: number): number => {
    const latestUs = lastUs + windowUs;
    return latestUs - modulo(latestUs - numberAt(records, at, width), range);
  };
  const costAt = (records: string, at: number): number => numberAt(records, at + width, wide);
  const entry = (atUs: number, cost: number): string => digits(modulo(atUs, range), width) + digits(cost, wide);
  const split = (atUs: number, cost: number): string => {
    let records = "";
    for (let left = cost; left > 0; left -= largest) records += entry(atUs, Math.min(left, largest));
    return records;
  };
  /** From here on the text is written as a whole. */
  const gather = (): void => {
    known += later + added;
    later = "";
    added = "";
    isAsStored = false;
  };
  const drop = (nowUs: number): void => {
    let at = 0;
    for (; at < known.length && timeAt(known, at) <= nowUs - windowUs; at += step) total -= costAt(known, at);
    gone += at / step;
    known = known.slice(at);
  };
  const newestUs = (): number => {
    const last = added || later || known;
    return last === "" ? 0 : timeAt(last, last.length - step);
  };
  const endUs = (): number => Math.max(newestUs(), lastUs) + windowUs;
  const isAhead = (): boolean => lastUs - nowUs > longestLeadUs;
  const hasRoom = (): boolean =>
    later !== "" || (stored.later === "" && gone * step + known.length + added.length <= frontRecords * step);
  /** Whether the end of the text alone is written. */
  const isShort = (): boolean => isAsStored && !isAhead() && endUs() <= stored.lastsUs && hasRoom();
  const lastsUs = (): number => {
    if (isShort()) return stored.lastsUs;
    const isLong = known.length + later.length + added.length > fewRecords * step;
    return endUs() + (isLong && !isAhead() ? Math.floor(windowUs / 2) : 0);
  };

  return {
    get lastUs() {
      return lastUs;
    },
    bornUs,
    get total() {
      return total;
    },
    get oldestUs() {
      const first = known || later || added;
      return first === "" ? 0 : timeAt(first, 0);
    },
    get newestUs() {
      return newestUs();
    },
    advance(nowUs) {
      drop(nowUs);
      if (known === "") {
        gather();
        drop(nowUs);
      }
      lastUs = nowUs;
    },
    freeing(amount) {
      const records = known + later + added;
      let left = amount;
      let timeUs = 0;
      for (let at = 0; left > 0 && at < records.length; at += step) {
        left -= costAt(records, at);
        timeUs = timeAt(records, at);
      }
      return timeUs;
    },
    append(atUs, cost) {
      if (added !== "") gather();
      const last = later || known;
      const isJoined = last !== "" && timeAt(last, last.length - step) === atUs;
      added = split(atUs, isJoined ? cost + costAt(last, last.length - step) : cost);
      total += cost;
      if (!isJoined) return;
      if (later !== "") later = later.slice(0, -step);
      else known = known.slice(0, -step);
    },
    take(atUs, most) {
      gather();
      let from = 0;
      while (from < known.length && timeAt(known, from) < atUs) from += step;
      let to = from;
      let there = 0;
      for (; to < known.length && timeAt(known, to) === atUs; to += step) there += costAt(known, to);
      const taken = Math.min(most, there);
      known = known.slice(0, from) + split(atUs, there - taken) + known.slice(to);
      total -= taken;
      return taken;
    },
    insert(accepts, isExact) {
      gather();
      const costs = new Map<number, number>();
      const add = (atUs: number, cost: number): void => {
        costs.set(atUs, (costs.get(atUs) ?? 0) + cost);
      };
      for (let at = 0; at < known.length; at += step) add(timeAt(known, at), costAt(known, at));
      const news = accepts.filter(({ atUs }) => !isExact || !costs.has(atUs));
      for (const { atUs, cost } of news) {
        add(atUs, cost);
        total += cost;
      }
      const inOrder = [...costs].sort(([one], [other]) => one - other);
      known = inOrder.map(([atUs, cost]) => split(atUs, cost)).join("");
      return news.length > 0;
    },
    lastsUs,
    text() {
      const same = { width, wide, lastUs, bornUs, lastsUs: lastsUs(), total };
      if (isShort() && later !== "") return windowText({ ...same, later: later + added, front, gone });
      if (isShort()) return windowText({ ...same, later, front: front.slice(0, gone * step) + known + added, gone });
      const records = known + later + added;
      const inFront = frontRecords * step;
      return windowText({ ...same, later: records.slice(inFront), front: records.slice(0, inFront), gone: 0 });
    },
  };
}
