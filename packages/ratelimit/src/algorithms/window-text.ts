import { graceMs, longestDelayMs } from "./counter.ts";
import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

// The text of a sliding window. A record is one admitted call: its time modulo `range`, and its cost; a cost that is
// too large for one record takes several.
//
//   later records, the oldest first | the oldest records (the front) | the header
//
// A decision reads only the end of the text: the newest record, the front and the header. It writes that end
// (SETRANGE): a new record and the header, behind the front while that has room, or else the new record, the front and
// the header. So its cost does not grow with the window. When the front is used up, the whole text is read and written
// once, with a new front.
//
// Header: when the key was last written, when it was created, the end of the time for which it is stored, the sum of
// all costs, how many later records there are, how many records the front has, how many of these have expired, the
// width of a time in a record, the width of a cost, and "~", which is no digit.

/**
 * The front has at most this many records. Redis hashes each text that a script has, byte by byte, so a shorter front
 * would cost it less; but a front that is used up costs a command more, which is billed.
 */
export const frontRecords = 128;

/**
 * The text of a window with more records than this is stored for half a window longer than it counts: the decisions of
 * that time write its end alone. With fewer, all of it is about as short.
 */
export const fewRecords = 16;

/**
 * After a clock was set back, a window's time stands still until the clock has come to it. While it is ahead by more
 * than this, in microseconds, each call stores the whole text: its time to live must not run out meanwhile.
 */
export const longestLeadUs: number = (graceMs - longestDelayMs) * 1_000;

/** The width of a number of records in the front. */
export const frontWidth = 2;

export const headerWidth: number = 3 * timeWidth + 2 * countWidth + 2 * frontWidth + 3;
/** What the last character of the text is. */
const mark = "~";

/** The width of the header of earlier versions. */
export const earlierHeaderWidth: number = 3 + 2 * timeWidth + countWidth;

/** Enough digits for four windows: a record is at most one window older than the last write, or newer than it. */
export function widthOf(windowUs: number): number {
  let width = 1;
  for (let range = 64; range < 4 * windowUs; range *= 64) width++;
  return width;
}

/** A parsed text. */
export interface WindowText {
  /** The width of a time in a record. */
  readonly width: number;
  /** The width of a cost. */
  readonly wide: number;
  readonly lastUs: number;
  readonly bornUs: number;
  readonly lastsUs: number;
  readonly total: number;
  readonly later: string;
  readonly front: string;
  /** How many records of the front have expired. */
  readonly gone: number;
}

/** Parses a text. @returns undefined when it is no window's text. */
export function parseWindow(text: string): WindowText | undefined {
  const at = text.length - headerWidth;
  if (at < 0 || !text.endsWith(mark)) return undefined;
  const counts = at + 3 * timeWidth;
  const small = counts + 2 * countWidth;
  const inFront = numberAt(text, small, frontWidth);
  const width = numberAt(text, small + 2 * frontWidth, 1);
  const wide = numberAt(text, small + 2 * frontWidth + 1, 1);
  if (wide < 1) return undefined;
  const later = numberAt(text, counts + countWidth, countWidth) * (width + wide);
  if (later + inFront * (width + wide) !== at) return undefined;
  return {
    width,
    wide,
    lastUs: numberAt(text, at, timeWidth),
    bornUs: numberAt(text, at + timeWidth, timeWidth),
    lastsUs: numberAt(text, at + 2 * timeWidth, timeWidth),
    total: numberAt(text, counts, countWidth),
    later: text.slice(0, later),
    front: text.slice(later, at),
    gone: numberAt(text, small + frontWidth, frontWidth),
  };
}

/**
 * Parses the text of earlier versions: "s", the width of a time in a record, the width of a cost, when the key was last
 * written, when it was created and the sum of all costs; then the records.
 *
 * @returns undefined when it is no such text.
 */
export function parseEarlierWindow(text: string): WindowText | undefined {
  if (text.length < earlierHeaderWidth || text[0] !== "s") return undefined;
  const [width, wide] = [numberAt(text, 1, 1), numberAt(text, 2, 1)];
  const front = text.slice(earlierHeaderWidth);
  if (wide < 1 || front.length % (width + wide) !== 0) return undefined;
  return {
    width,
    wide,
    lastUs: numberAt(text, 3, timeWidth),
    bornUs: numberAt(text, 3 + timeWidth, timeWidth),
    lastsUs: 0,
    total: numberAt(text, 3 + 2 * timeWidth, countWidth),
    later: "",
    front,
    gone: 0,
  };
}

export function windowText(window: WindowText): string {
  const { width, wide, lastUs, bornUs, lastsUs, total, later, front, gone } = window;
  const times = [lastUs, bornUs, lastsUs].map((timeUs) => digits(timeUs, timeWidth)).join("");
  const counts = digits(total, countWidth) + digits(later.length / (width + wide), countWidth);
  const inFront = digits(front.length / (width + wide), frontWidth) + digits(gone, frontWidth);
  return later + front + times + counts + inFront + digits(width, 1) + digits(wide, 1) + mark;
}
