import { CommandError } from "@continuum-cache/core";
import { type Accept, encodeAccepts } from "../algorithms/accepts.ts";
import type { Ask } from "../ask.ts";
import type { Verdict } from "./verdict.ts";

// What the decide script is given and answers: see `limit-script-lua`.

/** One call in a batch: what it asks, and what was accepted elsewhere for each of these, which counts before the decision. */
export interface Call {
  readonly asks: readonly Ask[];
  readonly merges: readonly (readonly Accept[])[];
}

/** What a script says of one call. */
export interface Verdicts {
  /** The time by which the batch was decided. */
  readonly nowUs: number;
  readonly isAllowed: boolean;
  /** In the order of asking. */
  readonly each: readonly Verdict[];
}

/** What a script says of a batch. */
export interface BatchReply {
  readonly nowUs: number;
  /** So many calls, the first ones, were decided by the time that was sent; the others by the server's own. */
  readonly estimated: number;
  /** In the order of asking; an error where one of a call's keys can't be used. */
  readonly calls: readonly (Verdicts | CommandError)[];
}

/** The keys of the calls, and the words that follow the time. */
export function batchArguments(calls: readonly Call[]): {
  readonly keys: string[];
  readonly words: (string | number)[];
} {
  const keys: string[] = [];
  const words: (string | number)[] = [];
  let group: Call | undefined;
  let size = 0;
  let sizeAt = 0;
  for (const call of calls) {
    for (const { key } of call.asks) keys.push(key);
    if (group && areAlike(group, call)) {
      words[sizeAt] = ++size;
      continue;
    }
    group = call;
    size = 1;
    sizeAt = words.length;
    words.push(size, call.asks.length);
    for (const [index, { windowUs, limit, cost, extra }] of call.asks.entries()) {
      words.push(windowUs, limit, cost, extra, encodeAccepts(call.merges[index] ?? []));
    }
  }
  return { keys, words };
}

/** Whether two calls have the same numbers, and nothing to merge. */
function areAlike(one: Call, other: Call): boolean {
  if (one.asks.length !== other.asks.length) return false;
  for (let index = 0; index < one.asks.length; index++) {
    const [a, b] = [one.asks[index] as Ask, other.asks[index] as Ask];
    if (a.windowUs !== b.windowUs || a.limit !== b.limit || a.cost !== b.cost || a.extra !== b.extra) return false;
    if (one.merges[index]?.length || other.merges[index]?.length) return false;
  }
  return true;
}

/** @returns undefined when it is no reply to these calls. */
export function readBatchReply(reply: unknown, calls: readonly Call[]): BatchReply | undefined {
  if (typeof reply !== "string") return undefined;
  const lines = reply.split("\n");
  if (lines.length !== calls.length + 1) return undefined;
  const [nowUs = Number.NaN, estimated = Number.NaN] = numbersOf(lines[0] as string);
  if (Number.isNaN(nowUs) || Number.isNaN(estimated)) return undefined;
  const read: (Verdicts | CommandError)[] = [];
  for (let index = 0; index < calls.length; index++) {
    const line = lines[index + 1] as string;
    const said = isNumber(line)
      ? readVerdicts(line, nowUs, (calls[index] as Call).asks.length)
      : new CommandError(line);
    if (!said) return undefined;
    read.push(said);
  }
  return { nowUs, estimated, calls: read };
}

const wordsPerKey = 8;

function readVerdicts(line: string, nowUs: number, count: number): Verdicts | undefined {
  const numbers = numbersOf(line);
  if (numbers.length !== count * wordsPerKey || numbers.some(Number.isNaN)) return undefined;
  const each: Verdict[] = [];
  let isAllowed = true;
  for (let at = 0; at < numbers.length; at += wordsPerKey) {
    const isFree = numbers[at] === 1;
    isAllowed &&= isFree;
    each.push({
      isFree,
      current: numbers[at + 1] as number,
      retryAtUs: numbers[at + 2] as number,
      moreAtUs: numbers[at + 3] as number,
      resetAtUs: numbers[at + 4] as number,
      chargedUs: numbers[at + 5] as number,
      bornUs: numbers[at + 6] as number,
      atUs: numbers[at + 7] as number,
    });
  }
  return { nowUs, isAllowed, each };
}

const zero = 48;
const isNumber = (line: string): boolean => {
  const first = line.charCodeAt(0) - zero;
  return first >= 0 && first <= 9;
};

/** The whole numbers of a line, between spaces; NaN for anything else. By hand, since `split` makes a string of each. */
function numbersOf(line: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  for (let at = 0; at < line.length; at++) {
    const digit = line.charCodeAt(at) - zero;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === -16) {
      numbers.push(value);
      value = 0;
    } else value = Number.NaN;
  }
  numbers.push(value);
  return numbers;
}
