import { CommandError } from "@continuum-cache/core";
import { type Admission, encodeAdmissions } from "../algorithms/admissions.ts";
import { numberAt, timeWidth } from "../algorithms/digits.ts";
import type { LimitRequest } from "./limit-request.ts";
import type { LimitResult } from "./limit-result.ts";

// Encodes the arguments of the decide script and reads its reply: see `limit-script-lua`.

/**
 * One call in a batch: its requests, and for each of them what was admitted elsewhere, which counts before the
 * decision.
 */
export interface Call {
  readonly requests: readonly LimitRequest[];
  readonly merges: readonly (readonly Admission[])[];
}

/** The result of the script for one call. */
export interface CallResult {
  /** The time by which the batch was decided. */
  readonly nowUs: number;
  readonly isAllowed: boolean;
  /** In the order of the requests. */
  readonly results: readonly LimitResult[];
}

/** Whether a call was decided. `isCommandError` would be slower: it looks a symbol up. */
export const isDecided = (said: CallResult | CommandError | undefined): said is CallResult =>
  said !== undefined && "results" in said;

/** The result of the script for a batch. */
export interface BatchReply {
  readonly nowUs: number;
  /**
   * How many of the first calls were decided by the time that was sent. The others were decided by the server's time.
   */
  readonly estimated: number;
  /** In the order of the calls; an error where one of a call's keys can't be used. */
  readonly calls: readonly (CallResult | CommandError)[];
}

/** The keys of the calls, and the arguments that follow the time. */
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
    for (const { key } of call.requests) keys.push(key);
    if (group && areAlike(group, call)) {
      words[sizeAt] = ++size;
      continue;
    }
    group = call;
    size = 1;
    sizeAt = words.length;
    words.push(size, call.requests.length);
    for (const [index, { windowUs, limit, cost, extra }] of call.requests.entries()) {
      words.push(windowUs, limit, cost, extra, encodeAdmissions(call.merges[index] ?? []));
    }
  }
  return { keys, words };
}

/** Whether two calls have the same numbers and nothing to merge. */
function areAlike(one: Call, other: Call): boolean {
  if (one.requests.length !== other.requests.length) return false;
  for (let index = 0; index < one.requests.length; index++) {
    const [a, b] = [one.requests[index] as LimitRequest, other.requests[index] as LimitRequest];
    if (a.windowUs !== b.windowUs || a.limit !== b.limit || a.cost !== b.cost || a.extra !== b.extra) return false;
    if (one.merges[index]?.length || other.merges[index]?.length) return false;
  }
  return true;
}

/** Reads the reply to these calls. @returns undefined when it is none. */
export function readBatchReply(reply: unknown, calls: readonly Call[]): BatchReply | undefined {
  if (typeof reply !== "string") return undefined;
  const reader = new ReplyReader(reply);
  const begunUs = reader.number(space);
  const nowUs = reader.number(space);
  const estimated = reader.number(lineEnd);
  const said: (CallResult | CommandError)[] = [];
  for (const { requests } of calls) {
    if (reader.isBroken || reader.isAtEnd) return undefined;
    said.push(
      reader.isAtResult ? readCallResult(reader, requests.length, begunUs, nowUs) : new CommandError(reader.line()),
    );
  }
  return reader.isBroken || !reader.isAtEnd ? undefined : { nowUs, estimated, calls: said };
}

function readCallResult(reader: ReplyReader, count: number, begunUs: number, nowUs: number): CallResult {
  const results: LimitResult[] = [];
  let isAllowed = true;
  for (let left = count; left > 0; left--) {
    const state = reader.state();
    const bornUs = reader.time();
    const current = reader.number(space);
    const atUs = begunUs + reader.number(space);
    const retryUs = reader.number(space);
    const moreUs = reader.number(space);
    const resetUs = reader.number(space);
    const chargedUs = reader.number(left > 1 ? space : lineEnd);
    isAllowed &&= state > 0;
    results.push({
      isFree: state > 0,
      current,
      retryAtUs: state > 0 ? 0 : begunUs + retryUs,
      moreAtUs: current > 0 ? begunUs + moreUs : 0,
      resetAtUs: current > 0 ? begunUs + resetUs : 0,
      chargedUs: state > 1 ? begunUs + chargedUs : 0,
      bornUs,
      atUs,
    });
  }
  return { nowUs, isAllowed, results };
}

const [lineEnd, space, minus, zero] = [10, 32, 45, 48] as const;

/** Reads a reply from front to back, digit by digit: `split` would make a string of each number. */
class ReplyReader {
  readonly #text: string;
  #at = 0;
  /** Whether the text did not have the expected form. */
  isBroken = false;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at > this.#text.length;
  }

  /** Whether the line holds results; an error begins with a letter. */
  get isAtResult(): boolean {
    const digit = this.#text.charCodeAt(this.#at) - zero;
    return digit >= 0 && digit <= 2;
  }

  state(): number {
    return this.#text.charCodeAt(this.#at++) - zero;
  }

  /** Reads a time as text, and the space behind it. */
  time(): number {
    const timeUs = numberAt(this.#text, this.#at, timeWidth);
    this.#at += timeWidth;
    this.#pass(space);
    return timeUs;
  }

  /** Reads a whole number, and the character that ends it. The end of the reply ends a line too. */
  number(end: number): number {
    const text = this.#text;
    const isNegative = text.charCodeAt(this.#at) === minus;
    const from = isNegative ? this.#at + 1 : this.#at;
    let at = from;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === from) this.isBroken = true;
    this.#at = at;
    this.#pass(end);
    return isNegative ? -value : value;
  }

  line(): string {
    const end = this.#text.indexOf("\n", this.#at);
    const line = end < 0 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, end);
    this.#at += line.length + 1;
    return line;
  }

  #pass(end: number): void {
    const text = this.#text;
    const at = this.#at++;
    if (at < text.length ? text.charCodeAt(at) !== end : at > text.length || end !== lineEnd) this.isBroken = true;
  }
}
