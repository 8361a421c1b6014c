import type { Admission } from "./admissions.ts";
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

const modulo = (value: number, range: number): number => value - Math.floor(value / range) * range;

/** Reads a window's text. @param costWidth - For a new ring. @returns undefined when it is no text of such a window. */
export function openRing(
  text: string | null,
  nowUs: number,
  windowUs: number,
  costWidth: number,
): AdmissionRing | undefined {
  const width = widthOf(windowUs);
  const parsed = text ? parseWindow(text) : undefined;
  const stored = text ? (parsed ?? parseEarlierWindow(text)) : emptyWindow(width, costWidth, nowUs);
  if (stored?.width !== width) return undefined;
  return new AdmissionRing(stored, parsed !== undefined, nowUs, windowUs);
}

const emptyWindow = (width: number, wide: number, nowUs: number): WindowText => ({
  width,
  wide,
  lastUs: nowUs - 1,
  bornUs: nowUs,
  lastsUs: 0,
  total: 0,
  later: "",
  front: "",
  gone: 0,
});

/** The admitted calls of a window, in order. */
export class AdmissionRing {
  /** The time to which the window was advanced. */
  lastUs: number;
  readonly bornUs: number;
  /** The sum of the costs. */
  total: number;
  readonly #stored: WindowText;
  readonly #askedUs: number;
  readonly #windowUs: number;
  readonly #range: number;
  readonly #step: number;
  readonly #largest: number;
  /** How many records of the front have expired. */
  #gone: number;
  // Every record is in one of these, in this order: the front, those that were stored behind it, and those that are
  // new.
  #known: string;
  #later: string;
  #added = "";
  /** Whether all records except the new ones are those that are stored. */
  #isAsStored: boolean;

  constructor(stored: WindowText, isStored: boolean, askedUs: number, windowUs: number) {
    const { width, wide, lastUs, bornUs, total, front, later, gone } = stored;
    this.#stored = stored;
    this.#isAsStored = isStored;
    this.#askedUs = askedUs;
    this.#windowUs = windowUs;
    this.#range = 64 ** width;
    this.#step = width + wide;
    this.#largest = 64 ** wide - 1;
    this.lastUs = lastUs;
    this.bornUs = bornUs;
    this.total = total;
    this.#gone = gone;
    this.#known = front.slice(gone * this.#step);
    this.#later = later;
  }

  /** When the oldest call was admitted; 0 when there is none. */
  get oldestUs(): number {
    const first = this.#known || this.#later || this.#added;
    return first === "" ? 0 : this.#timeAt(first, 0);
  }

  /** When the newest call was admitted; 0 when there is none. */
  get newestUs(): number {
    const last = this.#added || this.#later || this.#known;
    return last === "" ? 0 : this.#timeAt(last, last.length - this.#step);
  }

  /** Advances to a later time: drops the calls that are as old as the window by then. */
  advance(nowUs: number): void {
    this.#drop(nowUs);
    if (this.#known === "") {
      this.#gather();
      this.#drop(nowUs);
    }
    this.lastUs = nowUs;
  }

  /** Returns when the call was admitted whose expiry makes this amount free. */
  freeing(amount: number): number {
    const records = this.#known + this.#later + this.#added;
    let left = amount;
    let timeUs = 0;
    for (let at = 0; left > 0 && at < records.length; at += this.#step) {
      left -= this.#costAt(records, at);
      timeUs = this.#timeAt(records, at);
    }
    return timeUs;
  }

  /** Adds to the end. */
  append(atUs: number, cost: number): void {
    if (this.#added !== "") this.#gather();
    const step = this.#step;
    const last = this.#later || this.#known;
    const isJoined = last !== "" && this.#timeAt(last, last.length - step) === atUs;
    this.#added = this.#split(atUs, isJoined ? cost + this.#costAt(last, last.length - step) : cost);
    this.total += cost;
    if (!isJoined) return;
    if (this.#later !== "") this.#later = this.#later.slice(0, -step);
    else this.#known = this.#known.slice(0, -step);
  }

  /** Takes back what was accepted at exactly this time. @returns how much. */
  take(atUs: number, most: number): number {
    this.#gather();
    const known = this.#known;
    const step = this.#step;
    let from = 0;
    while (from < known.length && this.#timeAt(known, from) < atUs) from += step;
    let to = from;
    let there = 0;
    for (; to < known.length && this.#timeAt(known, to) === atUs; to += step) there += this.#costAt(known, to);
    const taken = Math.min(most, there);
    this.#known = known.slice(0, from) + this.#split(atUs, there - taken) + known.slice(to);
    this.total -= taken;
    return taken;
  }

  /**
   * Sorts others in. @param isExact - Times are unique: what was accepted at a time that is here already is here
   * already.
   */
  insert(admissions: readonly Admission[], isExact: boolean): boolean {
    this.#gather();
    const known = this.#known;
    const costs = new Map<number, number>();
    const add = (atUs: number, cost: number): void => {
      costs.set(atUs, (costs.get(atUs) ?? 0) + cost);
    };
    for (let at = 0; at < known.length; at += this.#step) add(this.#timeAt(known, at), this.#costAt(known, at));
    const news = admissions.filter(({ atUs }) => !isExact || !costs.has(atUs));
    for (const { atUs, cost } of news) {
      add(atUs, cost);
      this.total += cost;
    }
    const inOrder = [...costs].sort(([one], [other]) => one - other);
    this.#known = inOrder.map(([atUs, cost]) => this.#split(atUs, cost)).join("");
    return news.length > 0;
  }

  /** The end of the time for which the text is stored. */
  lastsUs(): number {
    if (this.#isShort()) return this.#stored.lastsUs;
    const isLong = this.#known.length + this.#later.length + this.#added.length > fewRecords * this.#step;
    return this.#endUs() + (isLong && !this.#isAhead() ? Math.floor(this.#windowUs / 2) : 0);
  }

  text(): string {
    const { width, wide, front } = this.#stored;
    const { lastUs, bornUs, total } = this;
    const same = { width, wide, lastUs, bornUs, lastsUs: this.lastsUs(), total };
    const [known, later, added, gone] = [this.#known, this.#later, this.#added, this.#gone];
    if (this.#isShort()) {
      if (later !== "") return windowText({ ...same, later: later + added, front, gone });
      return windowText({ ...same, later, front: front.slice(0, gone * this.#step) + known + added, gone });
    }
    const records = known + later + added;
    const inFront = frontRecords * this.#step;
    return windowText({ ...same, later: records.slice(inFront), front: records.slice(0, inFront), gone: 0 });
  }

  #timeAt(records: string, at: number): number {
    const latestUs = this.lastUs + this.#windowUs;
    return latestUs - modulo(latestUs - numberAt(records, at, this.#stored.width), this.#range);
  }

  #costAt(records: string, at: number): number {
    return numberAt(records, at + this.#stored.width, this.#stored.wide);
  }

  /** The records of a call: several where its cost is too large for one. */
  #split(atUs: number, cost: number): string {
    const { width, wide } = this.#stored;
    const time = digits(modulo(atUs, this.#range), width);
    let records = "";
    for (let left = cost; left > 0; left -= this.#largest)
      records += time + digits(Math.min(left, this.#largest), wide);
    return records;
  }

  /** Joins all records. The whole text is written from then on. */
  #gather(): void {
    this.#known += this.#later + this.#added;
    this.#later = "";
    this.#added = "";
    this.#isAsStored = false;
  }

  #drop(nowUs: number): void {
    const known = this.#known;
    let at = 0;
    for (; at < known.length && this.#timeAt(known, at) <= nowUs - this.#windowUs; at += this.#step) {
      this.total -= this.#costAt(known, at);
    }
    this.#gone += at / this.#step;
    this.#known = known.slice(at);
  }

  #endUs(): number {
    return Math.max(this.newestUs, this.lastUs) + this.#windowUs;
  }

  #isAhead(): boolean {
    return this.lastUs - this.#askedUs > longestLeadUs;
  }

  /** Whether only the end of the text is written. */
  #isShort(): boolean {
    return this.#isAsStored && !this.#isAhead() && this.#endUs() <= this.#stored.lastsUs && this.#hasRoom();
  }

  /** Whether new records fit at the end of the stored text. */
  #hasRoom(): boolean {
    if (this.#later !== "" || this.#stored.later !== "") return this.#later !== "";
    const inFront = this.#gone * this.#step + this.#known.length + this.#added.length;
    return inFront <= frontRecords * this.#step;
  }
}
