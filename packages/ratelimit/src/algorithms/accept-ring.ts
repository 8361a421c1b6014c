import type { Accept } from "./accepts.ts";
import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

// What a sliding window holds, as text: a header, then one entry for each accepted call, the oldest first. An entry is the
// time of the call modulo `range` and its cost; a cost too large for one entry takes several.
//
// Header: "s", the width of a time, the width of a cost, when the key was last written, its birth, the sum of all costs.

const headerWidth = 3 + 2 * timeWidth + countWidth;

/** Enough digits for four windows: an entry is at most one window old, and at most one ahead of the last write. */
function widthOf(windowUs: number): number {
  let width = 1;
  for (let range = 64; range < 4 * windowUs; range *= 64) width++;
  return width;
}

const modulo = (value: number, range: number): number => value - Math.floor(value / range) * range;

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
}

/** @param costWidth - For a new ring. @returns undefined when the text is no ring for windows of this length. */
export function openRing(
  text: string | null,
  nowUs: number,
  windowUs: number,
  costWidth: number,
): AcceptRing | undefined {
  const width = widthOf(windowUs);
  const range = 64 ** width;
  if (text !== null && (text[0] !== "s" || numberAt(text, 1, 1) !== width)) return undefined;
  const wide = text === null ? costWidth : numberAt(text, 2, 1);
  const step = width + wide;
  const largest = 64 ** wide - 1;
  if (text !== null && (text.length - headerWidth) % step !== 0) return undefined;
  let lastUs = text === null ? nowUs - 1 : numberAt(text, 3, timeWidth);
  const bornUs = text === null ? nowUs : numberAt(text, 3 + timeWidth, timeWidth);
  let total = text === null ? 0 : numberAt(text, 3 + 2 * timeWidth, countWidth);
  let entries = text === null ? "" : text.slice(headerWidth);

  const timeAt = (at: number): number => {
    const latestUs = lastUs + windowUs;
    return latestUs - modulo(latestUs - numberAt(entries, at, width), range);
  };
  const costAt = (at: number): number => numberAt(entries, at + width, wide);
  const entry = (atUs: number, cost: number): string => digits(modulo(atUs, range), width) + digits(cost, wide);
  const split = (atUs: number, cost: number): string => {
    let added = "";
    for (let left = cost; left > 0; left -= largest) added += entry(atUs, Math.min(left, largest));
    return added;
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
      return entries === "" ? 0 : timeAt(0);
    },
    get newestUs() {
      return entries === "" ? 0 : timeAt(entries.length - step);
    },
    advance(nowUs) {
      let at = 0;
      for (; at < entries.length && timeAt(at) <= nowUs - windowUs; at += step) total -= costAt(at);
      entries = entries.slice(at);
      lastUs = nowUs;
    },
    freeing(amount) {
      let left = amount;
      let timeUs = 0;
      for (let at = 0; left > 0 && at < entries.length; at += step) {
        left -= costAt(at);
        timeUs = timeAt(at);
      }
      return timeUs;
    },
    append(atUs, cost) {
      const tail = entries.length - step;
      let left = cost;
      if (tail >= 0 && timeAt(tail) === atUs) {
        left += costAt(tail);
        entries = entries.slice(0, tail);
      }
      entries += split(atUs, left);
      total += cost;
    },
    take(atUs, most) {
      let from = 0;
      while (from < entries.length && timeAt(from) < atUs) from += step;
      let to = from;
      let there = 0;
      for (; to < entries.length && timeAt(to) === atUs; to += step) there += costAt(to);
      const taken = Math.min(most, there);
      entries = entries.slice(0, from) + split(atUs, there - taken) + entries.slice(to);
      total -= taken;
      return taken;
    },
    insert(accepts, isExact) {
      const costs = new Map<number, number>();
      const add = (atUs: number, cost: number): void => {
        costs.set(atUs, (costs.get(atUs) ?? 0) + cost);
      };
      for (let at = 0; at < entries.length; at += step) add(timeAt(at), costAt(at));
      const news = accepts.filter(({ atUs }) => !isExact || !costs.has(atUs));
      for (const { atUs, cost } of news) {
        add(atUs, cost);
        total += cost;
      }
      const inOrder = [...costs].sort(([one], [other]) => one - other);
      entries = inOrder.map(([atUs, cost]) => split(atUs, cost)).join("");
      return news.length > 0;
    },
    text: () =>
      `s${digits(width, 1)}${digits(wide, 1)}${digits(lastUs, timeWidth)}${digits(bornUs, timeWidth)}${digits(total, countWidth)}${entries}`,
  };
}
